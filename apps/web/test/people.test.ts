import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { formerPerson } from '../dev/stand-in/former-people.ts';
import { lowContrast } from './contrast.ts';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const notices = (page: Page) => page.getByRole('region', { name: 'What went wrong meanwhile' });
const act = async (page: Page, username: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `Actions for ${username}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
};

describe('What former people left in Drive', { concurrency: 3 }, () => {
  test('with the keyboard: it is handed over to somebody, and what stays is the trash', async () => {
    await using portal = await browser.open();
    const { page, standIn, complaints } = portal;
    await page.goto(standIn.url);
    const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Left in Drive' });
    await link.click();
    await page.getByRole('heading', { name: 'Left in Drive' }).waitFor();
    const row = rowOf(page, 'alan.turing');
    await row.getByText('14,210 objects (48 GB)').waitFor();
    await row.getByText('and 7 objects (5.2 MB) in the trash').waitFor();
    await row.getByText('gone in 17 days').waitFor();
    await rowOf(page, 'Their user name is not known').getByText('gone within a day').waitFor();
    await page.getByRole('button', { name: 'Actions for alan.turing' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('menuitem', { name: 'Hand over' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('searchbox', { name: 'New owner' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('grace');
    await page.getByRole('radio', { name: 'Grace Hopper' }).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await row.getByText('14,210 objects').waitFor({ state: 'detached' });
    await row.getByText('7 objects (5.2 MB) in the trash').waitFor();
    assert.deepEqual(standIn.drive.handedOver, ['alan.turing to grace.hopper']);
    await page.getByRole('button', { name: 'Actions for alan.turing' }).click();
    assert.ok(await page.getByRole('menuitem', { name: 'Hand over' }).isDisabled());
    assert.deepEqual(complaints, []);
  });

  test('a purge asks, says what is removed, and stays on the page when it is refused', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/former-people`);
    await act(page, 'alan.turing', 'Purge');
    await page.getByText('14,210 objects (48 GB) and 7 objects (5.2 MB) in the trash: all of it').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(standIn.drive.formerPeople.length, 4, 'nothing is removed before it is confirmed');
    await act(page, 'alan.turing', 'Purge');
    standIn.drive.slow = true;
    await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click();
    // Too much for a moment: how far it is, and its end.
    await page.getByRole('status').getByText('Deleting: 0 of 14,210').waitFor();
    for (const [id, one] of standIn.drive.operations)
      standIn.drive.operations.set(id, {
        ...one,
        ...{ state: 'FAILED', failed: 1, done: 14_209 },
        failures: [{ key: 'a.txt', code: 'storage_unavailable', message: 'The store is away.' }],
      });
    await page.getByRole('dialog').getByText('a.txt: The store is away. 14209 of 14210 are done.').waitFor();
    await page.keyboard.press('Escape');
    await rowOf(page, 'alan.turing').getByText('Not all was purged. a.txt: The store is away.').waitFor();
    assert.equal(await notices(page).count(), 0, 'it was read in the dialog');
    standIn.drive.slow = false;
    await act(page, 'alan.turing', 'Purge');
    await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click();
    await rowOf(page, 'alan.turing').waitFor({ state: 'detached' });
  });

  test('a hand-over whose dialog was closed tells in its row how far it is and why it failed, and in a notice that stays', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.slow = true;
    await page.goto(`${standIn.url}/admin/former-people`);
    await act(page, 'alan.turing', 'Hand over');
    await page.getByRole('searchbox', { name: 'New owner' }).fill('grace');
    await page.getByRole('radio', { name: 'Grace Hopper' }).check();
    await page.getByRole('dialog').getByRole('button', { name: 'Hand over' }).click();
    await page.getByText('It goes on when you close this.').waitFor();
    await page.keyboard.press('Escape');
    await rowOf(page, 'alan.turing').getByText('Being handed over: 0 of 14,210').waitFor();
    for (const [id, one] of standIn.drive.operations)
      standIn.drive.operations.set(id, {
        ...one,
        ...{ state: 'FAILED', failed: 10, done: 14_200 },
        failures: [{ key: 'z.bin', code: 'QuotaExceeded', message: 'It does not fit.' }],
      });
    const reason = 'z.bin: It does not fit. (and 9 more) 14200 of 14210 are done.';
    await notices(page).getByText(reason).waitFor();
    await rowOf(page, 'alan.turing').getByText(`Not all was handed over. ${reason}`).waitFor();
    await page.getByRole('link', { name: 'All apps' }).click();
    await page.getByRole('heading', { name: 'All apps' }).waitFor();
    await notices(page).getByText('Not all that alan.turing left in Drive was handed over').waitFor();
    await notices(page)
      .getByRole('button', { name: /^Put away/ })
      .click();
    await notices(page).waitFor({ state: 'detached' });
    await page.goto(`${standIn.url}/admin/former-people`);
    await rowOf(page, 'alan.turing').getByText('Not all was handed over.').waitFor();
  });

  test('they are searched, shown page by page, and not to who is no administrator', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.formerPeople = Array.from({ length: 60 }, (_, at) => formerPerson(`former${at}`, 1));
    await page.goto(`${standIn.url}/admin/former-people`);
    await rowOf(page, 'former49').waitFor();
    assert.equal(await rowOf(page, 'former50').count(), 0);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rowOf(page, 'former59').waitFor();
    await page.getByRole('searchbox', { name: 'Search former people' }).fill('MER59');
    await rowOf(page, 'former49').waitFor({ state: 'detached' });
    await rowOf(page, 'former59').waitFor();
    await page.getByRole('searchbox').fill('zzz');
    await page.getByText('Nobody found for “zzz”').waitFor();
    standIn.drive.formerPeople = [];
    await page.goto(`${standIn.url}/admin/former-people`);
    await page.getByRole('heading', { name: 'Nothing is left' }).waitFor();
    standIn.me = { ...standIn.me, roles: ['user'], isAdmin: false };
    await page.reload();
    await page.getByText('Only administrators see what those who are gone left in Drive.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Left in Drive' }).count(), 0);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    test(`has enough contrast, and nothing beside the page at 360 px (${colorScheme})`, async () => {
      await using portal = await browser.open({ colorScheme, viewport: { width: 360, height: 740 } });
      const { page, standIn } = portal;
      await page.goto(`${standIn.url}/admin/former-people`);
      await rowOf(page, 'alan.turing').waitFor();
      assert.deepEqual(await page.evaluate(lowContrast), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    });
});

describe('People, and sessions and tokens', { concurrency: 3 }, () => {
  test('only administrators are led to the people, and others are told why they see none', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'People' });
    await link.click();
    await page.getByRole('heading', { name: 'People' }).waitFor();
    await rowOf(page, 'Grace Hopper').waitFor();

    standIn.me = { ...standIn.me, roles: ['user'], isAdmin: false };
    await page.reload();
    await page.getByText('Only administrators may see and change people.').waitFor();
    assert.equal(await link.count(), 0);
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Apps, instances, pages').fill('s');
    await page.getByRole('button', { name: 'Sessions & tokens' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'People' }).count(), 0);
  });

  test('people are searched, and shown page by page', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people`);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rowOf(page, 'member60').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
    await page.getByRole('searchbox', { name: 'Search people, roles and groups' }).fill('compilers');
    await rowOf(page, 'member60').waitFor({ state: 'detached' });
    await rowOf(page, 'Grace Hopper').waitFor();
    assert.match(page.url(), /q=compilers/);
    await page.getByRole('searchbox').fill('zzz');
    await page.getByText('Nobody found for “zzz”').waitFor();
  });

  test('with the keyboard: somebody is added, and the password is shown once', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people`);
    await page.getByRole('button', { name: 'Add a person' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'User name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('ada');
    await page.keyboard.press('Enter');
    await page.getByText('There is a person "ada" already.').waitFor();
    await page.getByRole('textbox', { name: 'User name' }).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('mary');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Mary Jackson');
    await page.getByRole('radio', { name: 'User' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('textbox', { name: 'Groups' }).fill('engineers, , langley');
    await page.keyboard.press('Enter');
    assert.equal(await page.getByTestId('password').textContent(), 'amber-otter-violin-27');
    // Nothing but the button puts it away.
    await page.keyboard.press('Escape');
    await page.getByTestId('password').waitFor();
    await page.getByRole('button', { name: 'Done' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.getByTestId('password').waitFor({ state: 'detached' });
    const added = standIn.people.at(-1)?.person;
    assert.deepEqual(
      [added?.username, added?.name, added?.roles, added?.groups],
      ['mary', 'Mary Jackson', ['visitor'], ['engineers', 'langley']],
    );
    assert.ok(!(await page.content()).includes('amber-otter-violin-27'));
  });

  test('an edit keeps roles that the form does not know', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people?q=grace`);
    await act(page, 'grace.hopper', 'Edit');
    await page.getByRole('radio', { name: 'Administrator' }).check();
    await page.getByRole('textbox', { name: 'Groups' }).fill('navy');
    await page.getByRole('button', { name: 'Save' }).click();
    await rowOf(page, 'Grace Hopper').getByText('Administrator').waitFor();
    const grace = standIn.people.find(({ person }) => person.username === 'grace.hopper')?.person;
    assert.deepEqual(grace?.roles, ['admin', 'user', 'reviewer']);
    assert.deepEqual(grace?.groups, ['navy']);
  });

  test('somebody is disabled and enabled, gets a new password, and is removed, each after a question', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people?q=grace`);
    await act(page, 'grace.hopper', 'Disable');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await act(page, 'grace.hopper', 'Disable');
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.getByText('grace.hopper is disabled. Hand over what they own?').waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    await rowOf(page, 'Grace Hopper').getByText('Disabled').waitFor();
    await act(page, 'grace.hopper', 'Enable');
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click();
    await rowOf(page, 'Grace Hopper').getByText('Disabled').waitFor({ state: 'detached' });

    await act(page, 'grace.hopper', 'Reset password');
    await page.getByRole('dialog').getByRole('button', { name: 'Reset password' }).click();
    assert.equal(await page.getByTestId('password').textContent(), 'fresh-basil-quartz-91');
    await page.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('link', { name: 'Grace Hopper' }).click();
    await page.getByRole('heading', { name: 'Grace Hopper' }).waitFor();
    await act(page, 'grace.hopper', 'Remove');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('grace.hopper is removed. Hand over what they own?').waitFor();
    await page.getByRole('searchbox', { name: 'New owner' }).fill('lovelace');
    await page.getByRole('radio', { name: 'Ada Lovelace' }).check();
    await page.getByRole('button', { name: 'Hand over' }).click();
    await page.getByRole('heading', { name: 'People' }).waitFor();
    assert.ok(standIn.apps.every(({ owner }) => owner.username !== 'grace.hopper'));
    assert.ok(standIn.people.every(({ person }) => person.username !== 'grace.hopper'));
  });

  test('on one’s own account nothing is offered that would shut oneself out', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people?q=ada`);
    await page.getByRole('button', { name: 'Actions for ada', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).waitFor();
    assert.equal(await page.getByRole('menuitem').count(), 1);
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    assert.equal(await page.getByRole('radio', { name: 'Visitor' }).isDisabled(), true);
  });

  test('menu, form and questions have the contrast of AA, light and dark', async () => {
    await using portal = await browser.open({ reducedMotion: 'reduce' });
    const { page, standIn } = portal;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${standIn.url}/admin/people?q=grace`);
      const readable = async (what: string) =>
        assert.deepEqual(await page.evaluate(lowContrast), [], `${what}, ${colorScheme}`);
      await page.getByRole('button', { name: 'Actions for grace.hopper', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Remove' }).waitFor();
      await readable('menu');
      await page.getByRole('menuitem', { name: 'Edit' }).click();
      await page.getByRole('textbox', { name: 'Groups' }).waitFor();
      await readable('form');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await act(page, 'grace.hopper', 'Reset password');
      await page.getByRole('dialog').waitFor();
      await readable('question');
      await page.getByRole('dialog').getByRole('button', { name: 'Reset password' }).click();
      await page.getByTestId('password').waitFor();
      await readable('password');
    }
  });

  test('one’s own sessions and tokens are revoked, but not the session one is in', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('button', { name: /Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sessions & tokens' }).click();
    const here = rowOf(page, 'this one');
    await here.waitFor();
    assert.equal(await here.getByRole('button').count(), 0);
    await rowOf(page, 'CLI token').getByText('never').waitFor();
    await rowOf(page, 'Platform token')
      .getByRole('button', { name: /^Revoke/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await rowOf(page, 'Platform token').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Sign out: Sign-in of/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    const kinds = standIn.people[0]?.tokens.map(({ kind, current }) => `${kind} ${current}`);
    assert.deepEqual(kinds, ['SESSION true', 'CLI_TOKEN false']);
  });

  test('an administrator revokes what somebody else has', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people/grace.hopper/account`);
    const tokens = page.getByRole('table', { name: 'Sessions and tokens of grace.hopper' });
    await tokens.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await rowOf(page, 'Platform token').waitFor({ state: 'detached' });
    await page.goto(`${standIn.url}/admin/people/nobody/account`);
    await page.getByText('This person does not exist').waitFor();
    assert.deepEqual(portal.complaints, []);
  });
});

describe('The quota of one person', () => {
  test('with the keyboard: a limit of its own, no limit, and as everybody again', async () => {
    await using portal = await browser.open();
    const { page, standIn, complaints } = portal;
    await page.goto(`${standIn.url}/admin/people/grace.hopper/account`);
    await page.getByText('1.2 GB in 340 objects, of 50 GB (the default)').waitFor();
    const change = page.getByRole('button', { name: 'Change the quota of grace.hopper' });
    await change.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Quota of grace.hopper in Drive' });
    await dialog.getByRole('radio', { name: 'As everybody' }).focus();
    await page.keyboard.press('ArrowDown');
    const limit = dialog.getByRole('textbox', { name: 'Limit in GB' });
    await limit.fill('a lot');
    await dialog.getByText('A number above 0.').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Save' }).isDisabled());
    await limit.fill('0,5');
    await dialog.getByText('There is more already').waitFor();
    await limit.press('Enter');
    await page.getByText('1.2 GB in 340 objects, of 500 MB', { exact: false }).waitFor();
    await change.and(page.locator(':focus')).waitFor();
    assert.deepEqual([...standIn.drive.quotas.values()], [500_000_000]);

    for (const [choice, then] of [
      ['No limit', '340 objects, no limit'],
      ['As everybody', 'of 50 GB (the default)'],
    ] as const) {
      await change.click();
      await dialog.getByRole('radio', { name: choice }).check();
      await dialog.getByRole('button', { name: 'Save' }).click();
      await page.getByText(then).waitFor();
    }
    assert.equal(standIn.drive.quotas.size, 0);
    assert.deepEqual(await page.evaluate(lowContrast), []);
    assert.deepEqual(complaints, []);
  });
});
