import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { grace } from '../dev/stand-in/samples.ts';
import { lowContrast } from './contrast.ts';
import { type Portal, sampleNamed, startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const dialog = (page: Page) => page.getByRole('dialog');
const act = async (page: Page, of: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `Actions for ${of}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
};
/** grace.hopper runs a private app. */
const running = ({ standIn }: Portal) => {
  const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.market'), 'PRIVATE', grace);
  instance.stopTimers();
  instance.ready();
  return instance;
};
const person = ({ standIn }: Portal, username: string) => {
  const found = standIn.people.find((one) => one.person.username === username);
  assert.ok(found);
  return found.person;
};

describe('What administrators see and do', { concurrency: 3 }, () => {
  test('disabling somebody says what they own, then hands it over but for what is not picked', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const instance = running(portal);
    await page.goto(`${standIn.url}/admin/people?q=grace`);
    await act(page, 'grace.hopper', 'Disable');
    await page.getByTestId('owns').getByText('24 apps and 1 instance, 1 of them running').waitFor();
    await dialog(page).getByText('Last sign-in: 3 hours ago').waitFor();
    await dialog(page).getByRole('button', { name: 'Disable' }).click();

    await dialog(page).getByText('grace.hopper is disabled. Hand over what they own?').waitFor();
    assert.equal(instance.data.status, 'SUSPENDED');
    const submit = dialog(page).getByRole('button', { name: 'Hand over' });
    assert.equal(await submit.isDisabled(), true, 'nobody is chosen yet');
    await dialog(page).getByRole('checkbox', { name: 'Credit risk 1.2.0' }).uncheck();
    await dialog(page).getByRole('searchbox', { name: 'New owner' }).fill('lovelace');
    await dialog(page).getByRole('radio', { name: 'Ada Lovelace' }).check();
    await submit.click();
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(instance.data.owner.username, 'ada');
    const left = standIn.apps.filter(({ owner }) => owner.subject === grace.subject);
    assert.deepEqual(
      left.map(({ title }) => title),
      ['Credit risk'],
    );
    await rowOf(page, 'Grace Hopper').getByText('Disabled').waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('what could not be handed over is named with the reason, and the dialog stays', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    running(portal);
    await page.goto(`${standIn.url}/admin/people?q=grace`);
    await act(page, 'grace.hopper', 'Hand over what they own');
    const theirs = dialog(page).getByRole('checkbox', { name: 'Instance of Market monitor' });
    await theirs.waitFor();
    assert.equal(await theirs.isDisabled(), true, 'its owner may sign in');
    await dialog(page).getByRole('searchbox', { name: 'New owner' }).fill('guest');
    await dialog(page).getByRole('radio', { name: 'A guest' }).check();
    await dialog(page).getByRole('button', { name: 'Hand over' }).click();
    await dialog(page).getByText('Credit risk 1.2.0: Nobody of the user name "guest"').waitFor();
    await dialog(page).getByRole('button', { name: 'Not now' }).click();
    assert.equal(
      standIn.apps.some(({ owner }) => owner.username === 'guest'),
      false,
    );
  });

  test('what could not be handed over while nobody looked is told in a notice that stays', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const answered = Promise.withResolvers<void>();
    await page.route('**/hand-over', async (route) => {
      await answered.promise;
      await route.continue();
    });
    await page.goto(`${standIn.url}/admin/people?q=grace`);
    await act(page, 'grace.hopper', 'Hand over what they own');
    await dialog(page).getByRole('searchbox', { name: 'New owner' }).fill('guest');
    await dialog(page).getByRole('radio', { name: 'A guest' }).check();
    await dialog(page).getByRole('button', { name: 'Hand over' }).click();
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    answered.resolve();
    const notice = page.getByRole('region', { name: 'What went wrong meanwhile' }).getByRole('alert');
    await notice.getByText('Not all that grace.hopper owns was handed over').waitFor();
    await notice.getByText('Credit risk 1.2.0: Nobody of the user name "guest"').waitFor();
  });

  test('who owns nothing is disabled without another question, and enabled again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/people?q=guest`);
    await act(page, 'guest', 'Disable');
    await page.getByTestId('owns').getByText('guest owns no apps and no instances.').waitFor();
    await dialog(page).getByRole('button', { name: 'Disable' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await rowOf(page, 'A guest').getByText('Disabled').waitFor();
    await act(page, 'guest', 'Enable');
    await dialog(page).getByRole('button', { name: 'Enable' }).click();
    await rowOf(page, 'A guest').getByText('Disabled').waitFor({ state: 'detached' });
  });

  test('a group is made, filled, renamed, emptied and deleted, by keyboard where it is typed', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/groups`);
    // Two people and a machine.
    await rowOf(page, 'analysts').getByText('3').waitFor();
    await page.getByRole('button', { name: 'Make a group' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Navy');
    await page.keyboard.press('Enter');
    await page.getByText('There is a group of the name "Navy" already.').waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('pilots');
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'pilots' }).waitFor();
    await page.getByText('Nobody yet').waitFor();
    await page.getByRole('button', { name: 'Add a member' }).click();
    await page.getByRole('searchbox', { name: 'Person' }).fill('grace');
    await page.getByRole('radio', { name: 'Grace Hopper' }).check();
    await dialog(page).getByRole('button', { name: 'Add' }).click();
    await rowOf(page, 'Grace Hopper').waitFor();
    await page.getByText('A group with one member.').waitFor();

    await act(page, 'pilots', 'Rename');
    await page.getByRole('textbox', { name: 'Name' }).fill('aviators');
    await dialog(page).getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'aviators' }).waitFor();
    assert.ok(person(portal, 'grace.hopper').groups.includes('aviators'));
    await rowOf(page, 'Grace Hopper').waitFor();

    await page.getByRole('button', { name: 'Remove from the group: grace.hopper' }).click();
    await dialog(page).getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody yet').waitFor();
    await act(page, 'aviators', 'Delete');
    await dialog(page).getByText('Nobody is in it.').waitFor();
    await dialog(page).getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Groups' }).waitFor();
    await rowOf(page, 'analysts').waitFor();
    assert.equal(await rowOf(page, 'aviators').count(), 0);
    await page.getByRole('searchbox', { name: 'Search groups' }).fill('comp');
    await rowOf(page, 'analysts').waitFor({ state: 'detached' });
    assert.deepEqual(portal.complaints, []);
  });

  test('service accounts are shown beside the people of a group and of a role, and taken out by keyboard', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/groups`);
    await page.getByRole('link', { name: 'analysts' }).click();
    await page.getByText('A group with 3 members.').waitFor();
    const machines = page.getByRole('table', { name: 'Service accounts of analysts' });
    await machines.getByRole('link', { name: 'nightly-build' }).waitFor();
    await machines.getByRole('button', { name: 'Remove from the group: nightly-build' }).focus();
    await page.keyboard.press('Enter');
    await dialog(page).getByText('nightly-build').first().waitFor();
    await dialog(page).getByRole('button', { name: 'Remove' }).focus();
    await page.keyboard.press('Enter');
    await machines.waitFor({ state: 'detached' });
    await page.getByText('A group with 2 members.').waitFor();
    assert.deepEqual(standIn.serviceAccounts.find(({ name }) => name === 'nightly-build')?.groups, []);
    await page.goto(`${standIn.url}/admin/roles/user/members`);
    const withRole = page.getByRole('table', { name: 'Service accounts of user' });
    await withRole.getByRole('link', { name: 'orphan' }).waitFor();
    await withRole.getByText('Without an owner').waitFor();
  });

  test('roles say in plain words what they allow; one is given and taken, but not one’s own', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/roles`);
    await rowOf(page, 'visitor')
      .getByText(/sees no logs/)
      .waitFor();
    await rowOf(page, 'reviewer').getByText('Means something to apps only').waitFor();
    await page.getByRole('link', { name: 'admin', exact: true }).click();
    await page.getByRole('button', { name: 'Give this role' }).click();
    await page.getByRole('searchbox', { name: 'Person' }).fill('grace');
    await page.getByRole('radio', { name: 'Grace Hopper' }).check();
    await dialog(page).getByRole('button', { name: 'Add' }).click();
    await rowOf(page, 'Grace Hopper').waitFor();
    assert.ok(person(portal, 'grace.hopper').roles.includes('admin'));

    await page.getByRole('button', { name: 'Take the role: ada' }).click();
    await dialog(page).getByRole('button', { name: 'Remove' }).click();
    await dialog(page).getByText('You cannot take the administrator’s role from yourself.').waitFor();
    await dialog(page).getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Take the role: grace.hopper' }).click();
    await dialog(page).getByRole('button', { name: 'Remove' }).click();
    await rowOf(page, 'Grace Hopper').waitFor({ state: 'detached' });
    assert.deepEqual(portal.complaints, []);
  });

  test('all apps: whose, how visible, how much used; filtered by address, changed and handed over', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    running(portal);
    await page.goto(`${standIn.url}/admin/apps?q=market`);
    const row = rowOf(page, 'Market monitor');
    await row.getByText('1, 1 running').waitFor();
    await act(page, 'Market monitor 1.2.0', 'Change visibility');
    await page.getByRole('radio', { name: 'Private' }).check();
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await row.getByText('Private').waitFor();

    await act(page, 'Market monitor 1.2.0', 'Delete');
    await dialog(page).getByText('It cannot be deleted while it has instances').waitFor();
    await dialog(page).getByRole('button', { name: 'Cancel' }).click();
    await act(page, 'Market monitor 1.2.0', 'Hand over');
    await page.getByRole('searchbox', { name: 'New owner' }).fill('lovelace');
    await page.getByRole('radio', { name: 'Ada Lovelace' }).check();
    await dialog(page).getByRole('button', { name: 'Hand over' }).click();
    await row.getByRole('link', { name: 'ada', exact: true }).click();
    await page.getByRole('button', { name: 'Owner ada: show all again' }).waitFor();
    await page.getByLabel('Visibility').selectOption('PRIVATE');
    await page.waitForURL(/visibility=PRIVATE/);
    await rowOf(page, 'Market monitor').waitFor();
    await page.getByRole('button', { name: 'Owner ada: show all again' }).click();
    await page.getByRole('searchbox', { name: 'Search all apps' }).fill('zzz');
    await page.getByText('No such app').waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('all instances: looked after, never opened where they are private; filters are in the address', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const theirs = running(portal);
    const mine = standIn.run(sampleNamed(standIn, 'ai.h2o.churn'), 'PRIVATE');
    mine.stopTimers();
    mine.ready();
    await page.goto(`${standIn.url}/admin/instances`);
    const menu = 'Market monitor 1.2.0 of grace.hopper';
    await page.getByRole('button', { name: `Actions for ${menu}` }).click();
    await page.getByRole('menuitem', { name: 'Pause', exact: true }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: 'Open' }).count(), 0);
    assert.equal(await page.getByRole('menuitem', { name: 'Hand over' }).count(), 0, 'it is not paused');
    await page.keyboard.press('Escape');
    await act(page, menu, 'Never pause by itself');
    await dialog(page).getByRole('button', { name: 'Never pause by itself' }).click();
    await rowOf(page, 'Market monitor').getByText('never').waitFor();
    await act(page, menu, 'Pause');
    await dialog(page).getByRole('button', { name: 'Pause' }).click();
    await rowOf(page, 'Market monitor').getByText('Paused', { exact: true }).waitFor();

    await page.getByLabel('Status').selectOption('SUSPENDED');
    await page.waitForURL(/status=SUSPENDED/);
    await rowOf(page, 'Churn explorer').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'grace.hopper' }).click();
    await page.getByRole('button', { name: 'Owner grace.hopper: show all again' }).waitFor();
    await act(page, menu, 'Hand over');
    await page.getByRole('searchbox', { name: 'New owner' }).fill('member01');
    await page.getByRole('radio', { name: 'Member 1', exact: false }).check();
    await dialog(page).getByRole('button', { name: 'Hand over' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(theirs.data.owner.username, 'member01');
    await page.goto(`${standIn.url}/admin/instances?app=${mine.data.app.id}`);
    await page.getByRole('button', { name: 'App Churn explorer 1.2.0: show all again' }).waitFor();
    await act(page, 'Churn explorer 1.2.0 of ada', 'Terminate');
    await dialog(page).getByRole('button', { name: 'Terminate' }).click();
    await page.getByText('No such instance').waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('all of it is readable and fits, light and dark, wide and narrow', async () => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        const viewport = { width, height: 800 };
        await using portal = await browser.open({ colorScheme, viewport, reducedMotion: 'reduce' });
        const { page, standIn } = portal;
        running(portal);
        const looksRight = async (what: string) => {
          const where = `${what}, ${colorScheme}, ${width}`;
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          assert.equal(overflow, 0, where);
          assert.deepEqual(await page.evaluate(lowContrast), [], where);
        };
        for (const [path, shows] of [
          ['groups', 'analysts'],
          [`groups/${standIn.groups[0]?.id}`, 'Grace Hopper'],
          ['roles', 'reviewer'],
          ['apps?q=market', 'Market monitor'],
          ['instances', 'Market monitor'],
        ] as const) {
          await page.goto(`${standIn.url}/admin/${path}`);
          await rowOf(page, shows).waitFor();
          await looksRight(path);
        }
        await page.goto(`${standIn.url}/admin/people?q=grace`);
        await act(page, 'grace.hopper', 'Hand over what they own');
        await page.getByRole('radio').first().waitFor();
        await looksRight('handing over');
      }
  });
});
