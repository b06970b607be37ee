import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const dialog = (page: Page) => page.getByRole('dialog');
const act = async (page: Page, name: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
};

describe('Secrets', () => {
  test('with the keyboard: one is kept with several keys, and what is wrong is said before it is sent', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Secrets' }).click();
    await page.getByRole('button', { name: 'Keep a secret' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Mine');
    await page.getByText('At most 63 of a-z').waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('mine');
    await page.getByRole('textbox', { name: 'Key 1' }).focus();
    await page.keyboard.type('password');
    await page.keyboard.press('Tab');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await page.keyboard.type('lines');
    await page.getByRole('button', { name: 'Add a key' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Keep it' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Name the key.').waitFor();
    await page.getByRole('textbox', { name: 'Key 2' }).fill('password');
    await page.getByText('This key is there twice.').waitFor();
    await page.getByRole('textbox', { name: 'Key 2' }).fill('user');
    await page.getByRole('textbox', { name: 'Value 2' }).fill('ada');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await rowOf(page, 'mine').getByText('password').waitFor();
    const made = standIn.secrets.find(({ secret }) => secret.name === 'mine');
    assert.deepEqual(made?.values, { password: 'two\nlines', user: 'ada' });
    assert.doesNotMatch(await page.content(), /two\nlines/);
    assert.deepEqual(portal.complaints, []);
  });

  test('values are hidden until they are asked for, which says that it is recorded, and forgotten afterwards', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await act(page, 'mail', 'Show values');
    await page.getByText('is recorded').waitFor();
    assert.deepEqual(standIn.revealed, []);
    assert.doesNotMatch(await page.content(), /stand-in-value/);
    await page.getByRole('button', { name: 'Show the values' }).click();
    await page.getByTestId('value').getByText('stand-in-value-2').waitFor();
    assert.deepEqual(standIn.revealed, ['mail']);
    await dialog(page).getByRole('button', { name: 'Close', exact: true }).last().click();
    await dialog(page).waitFor({ state: 'detached' });
    assert.doesNotMatch(await page.content(), /stand-in-value/);

    await act(page, 'mail', 'Show values');
    await page.getByRole('button', { name: 'Show the values' }).waitFor();
    assert.doesNotMatch(await page.content(), /stand-in-value/, 'asked for anew each time');
  });

  test('what is typed is masked and never filled in; keys that are not replaced stay', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await act(page, 'warehouse.readonly', 'Change');
    assert.equal(
      await dialog(page).locator('textarea').count(),
      0,
      'there is nothing to see of what it holds',
    );
    await page.getByRole('button', { name: 'Replace value 1' }).click();
    const value = page.getByRole('textbox', { name: 'Value 1' });
    assert.equal(await value.inputValue(), '');
    await value.fill('new');
    const masking = () =>
      value.evaluate((field) => getComputedStyle(field).getPropertyValue('-webkit-text-security'));
    assert.equal(await masking(), 'disc');
    await page.getByRole('button', { name: 'Show value 1' }).click();
    assert.equal(await masking(), 'none');
    await page.getByRole('button', { name: 'Add a key' }).click();
    await page.getByRole('textbox', { name: 'Key 3' }).fill('ca.pem');
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Value 3 from a file' }).click(),
    ]);
    await chooser.setFiles({ name: 'ca.pem', mimeType: 'text/plain', buffer: Buffer.of(0, 255, 16) });
    await page.getByText('from ca.pem').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await rowOf(page, 'warehouse.readonly').getByText('ca.pem').waitFor();
    assert.deepEqual(standIn.secrets[0]?.values, {
      username: 'analyst',
      password: 'new',
      'ca.pem': { base64: 'AP8Q' },
    });
  });

  test('one that apps use is not deleted, and they are named; another is, and comes back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await act(page, 'warehouse.readonly', 'Delete');
    const users = page.getByRole('list', { name: 'Apps that use it' });
    await users.getByRole('link', { name: 'Churn explorer 1.2.0' }).waitFor();
    await users.getByText('2 apps of others').waitFor();
    assert.ok(await dialog(page).getByRole('button', { name: 'Delete' }).isDisabled());
    await page.keyboard.press('Escape');

    await act(page, 'mail', 'Delete');
    await page.getByText('No app uses it.').waitFor();
    await dialog(page).getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('status').getByText('mail is deleted.').waitFor();
    await rowOf(page, 'mail').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await rowOf(page, 'mail').waitFor();
    await page.getByText('mail is deleted.').waitFor({ state: 'detached' });
  });

  test('the lines for app.toml are there to copy, and a list is searched and narrowed', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await act(page, 'warehouse.readonly', 'Copy as app.toml');
    const lines = await dialog(page).locator('pre').textContent();
    assert.equal(
      lines,
      '[[Env]]\nName = "PASSWORD"\nSecret = "warehouse.readonly"\nSecretKey = "password"\n\n' +
        '[[Env]]\nName = "USERNAME"\nSecret = "warehouse.readonly"\nSecretKey = "username"\n',
    );
    await page.keyboard.press('Escape');
    await page.getByText('App', { exact: true }).click();
    await rowOf(page, 'licence').getByText('App ai.h2o.churn').waitFor();
    await page.getByText('All users', { exact: true }).first().click();
    await rowOf(page, 'maps-service').waitFor();
    await page.getByRole('searchbox', { name: 'Search secrets' }).fill('zzz');
    await page.getByText('Nothing found for “zzz”').waitFor();
  });

  test('who is no administrator keeps their own, and uses what is for all without seeing it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, isAdmin: false, roles: ['user'] };
    await page.goto(`${standIn.url}/secrets`);
    await page.getByRole('button', { name: 'Actions for maps-service' }).click();
    await page.getByRole('menuitem', { name: 'Copy as app.toml' }).waitFor();
    for (const name of ['Show values', 'Change', 'Delete'])
      assert.equal(await page.getByRole('menuitem', { name }).count(), 0, name);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keep a secret' }).click();
    assert.equal(await dialog(page).getByRole('radio').count(), 0);
  });

  test('those of a workspace are read and changed by its editors, one version at a time', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Fraud detection (Owner)' });
    await act(page, 'service-token', 'Copy as app.toml');
    const lines = await dialog(page).locator('pre').textContent();
    assert.match(
      lines ?? '',
      /^\[\[Env\]\]\nName = "VALUE"\nSecret = "workspaces\/[0-9a-f-]{36}\/secrets\/service-token"\n/,
    );
    await page.keyboard.press('Escape');

    await act(page, 'service-token', 'New version');
    await page.getByRole('textbox', { name: 'Value 1' }).fill('third\nvalue');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await act(page, 'service-token', 'Versions');
    await page.getByRole('row').filter({ hasText: 'v3 (what apps get)' }).waitFor();
    assert.deepEqual(standIn.revealed, []);
    await page.getByRole('button', { name: 'Show v3' }).click();
    await page.getByRole('button', { name: 'Show the values' }).click();
    await page.getByTestId('value').getByText('third').waitFor();
    assert.match(standIn.revealed.join(), /service-token\/versions\/v3$/);
    await dialog(page).getByRole('button', { name: 'Close', exact: true }).last().click();
    await page.getByRole('button', { name: 'Show v1' }).waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Keep one here' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('mail');
    await page.getByRole('textbox', { name: 'Value 1' }).fill('x');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await rowOf(page, 'mail').waitFor();
    await act(page, 'mail', 'Delete');
    await dialog(page).getByRole('button', { name: 'Delete' }).click();
    await rowOf(page, 'mail').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await rowOf(page, 'mail').waitFor();
  });

  test('those of a workspace are used by its viewers, who read none', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/secrets`);
    await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Churn (Viewer)' });
    await page
      .getByText('You are a viewer here: you see and use what is there, and read no secrets.')
      .waitFor();
    await page.getByRole('button', { name: 'Actions for service-token' }).click();
    await page.getByRole('menuitem', { name: 'Copy as app.toml' }).waitFor();
    for (const name of ['New version', 'Delete'])
      assert.equal(await page.getByRole('menuitem', { name }).count(), 0, name);
    await page.getByRole('menuitem', { name: 'Versions' }).click();
    await page.getByText('v2 (what apps get)').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Show v/ }).count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Keep one here' }).count(), 0);
  });
});

describe('Connected accounts', () => {
  test('with the keyboard: one is connected at its provider, and the page says so afterwards', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.accounts = [];
    await page.goto(standIn.url);
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Connected accounts' })
      .click();
    await page.getByText('No connected accounts yet').waitFor();
    await page.getByRole('button', { name: 'Connect an account' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('searchbox', { name: 'Where' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('cor');
    await page.getByRole('radio', { name: 'Code Hub' }).waitFor({ state: 'detached' });
    await page.getByRole('radio', { name: 'Corp' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('textbox', { name: 'Name' }).focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Team');
    await page.getByText('At most 63 of a-z').waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('team');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Connected with Corp').waitFor();
    await page.getByText('Apps of yours call this account “team”.').waitFor();
    await rowOf(page, 'corp/team').getByText('renewed by itself').waitFor();
    await page.getByRole('button', { name: 'Dismiss', exact: true }).click();
    assert.equal(new URL(page.url()).search, '');
    assert.deepEqual(portal.complaints, []);
  });

  test('what a provider refuses, or its being away, is said, and tried again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.provider = 'away';
    await page.goto(`${standIn.url}/connected-accounts`);
    await rowOf(page, 'hub/mine').getByText('no longer renews this access').waitFor();
    await rowOf(page, 'hub/mine').getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Corp cannot be reached').waitFor();
    standIn.provider = 'refusing';
    await rowOf(page, 'hub/mine').getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'Not connected with Code Hub' }).waitFor();
    await page.getByRole('alert').getByText('access denied').waitFor();
    standIn.provider = 'willing';
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('status').getByText('Connected with Code Hub').waitFor();
  });

  test('an address that names an account which is not there connects nothing and says so', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/connected-accounts?returned=corp/none`);
    await page.getByRole('alert').getByText('Not found').waitFor();
    assert.equal(await page.getByText('Connected with').count(), 0);
  });

  test('one is disconnected after a word on what that ends, and the focus is not lost', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/connected-accounts`);
    await act(page, 'corp/mine', 'Use it in apps');
    assert.match(
      (await dialog(page).locator('pre').textContent()) ?? '',
      /get_token_source\("corp", "mine"\)/,
    );
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Actions for corp/mine' }).and(page.locator(':focus')).waitFor();
    await act(page, 'corp/mine', 'Disconnect');
    await dialog(page).getByText('can no longer act for you there').waitFor();
    await dialog(page).getByRole('button', { name: 'Cancel' }).click();
    assert.equal(standIn.accounts.length, 3);
    await act(page, 'corp/mine', 'Disconnect');
    await dialog(page).getByRole('button', { name: 'Disconnect' }).click();
    await rowOf(page, 'corp/mine').waitFor({ state: 'detached' });
    assert.equal(standIn.accounts.length, 2);
  });

  test('an account whose provider gives no more is marked wherever one is, until it is connected again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    const place = page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: /^Connected accounts/ });
    await place.and(page.getByRole('link', { name: 'Connected accounts 1 needs a login' })).waitFor();
    standIn.accounts = standIn.accounts.filter(({ state }) => state !== 'LOGIN_REQUIRED');
    await page.reload();
    await place.click();
    await page.getByRole('heading', { name: 'Connected accounts' }).waitFor();
    assert.equal(await place.textContent(), 'Connected accounts');
  });

  test('where there is no provider, administrators are told where to register one', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.accounts = [];
    standIn.clients = [];
    await page.goto(`${standIn.url}/connected-accounts`);
    await page.getByRole('link', { name: 'Register one' }).click();
    await page.getByText('No OAuth clients yet').waitFor();
    standIn.me = { ...standIn.me, isAdmin: false, roles: ['user'] };
    await page.goto(`${standIn.url}/connected-accounts`);
    await page.getByText('An administrator registers Haic there first.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Register one' }).count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Connect an account' }).count(), 0);
  });
});

describe('OAuth clients', () => {
  test('one is registered, with its redirect address to copy and its secret never shown', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/oauth-clients`);
    await page.getByRole('button', { name: 'Register a client' }).click();
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.getByText('Say where the provider is.').waitFor();
    await page.getByRole('textbox', { name: 'Id', exact: true }).fill('idp');
    await dialog(page).getByText('/api/connections/idp/callback').waitFor();
    await page.getByRole('textbox', { name: 'Issuer' }).fill('https://idp.example');
    await page.getByRole('textbox', { name: 'Client id' }).fill('haic-1');
    const secret = page.getByLabel('Client secret');
    await secret.fill('of-the-stand-in');
    assert.equal(await secret.getAttribute('type'), 'password');
    await page.getByRole('textbox', { name: 'Display name' }).fill('Our IdP');
    await page.getByRole('textbox', { name: 'Further scopes' }).fill('email  groups');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await rowOf(page, 'Our IdP').getByText('kept').waitFor();
    assert.deepEqual(standIn.clientSecrets, ['of-the-stand-in']);
    assert.deepEqual(standIn.clients.at(-1)?.extraScopes, ['email', 'groups']);
    assert.doesNotMatch(await page.content(), /of-the-stand-in/);
    assert.deepEqual(portal.complaints, []);
  });

  test('one is changed, its secret replaced, and deleted with the names of whom that concerns', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/oauth-clients`);
    await act(page, 'corp', 'Change');
    await page.getByRole('textbox', { name: 'Display name' }).fill('Corp & Sons');
    await page.getByRole('switch', { name: 'Renew access by itself' }).uncheck({ force: true });
    await page.getByRole('button', { name: 'Save' }).click();
    await rowOf(page, 'Corp & Sons').waitFor();
    assert.equal(standIn.clients[0]?.refreshDisabled, true);
    await act(page, 'corp', 'Replace secret');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByText('Paste what the provider gave you.').waitFor();
    await page.getByLabel('New client secret').fill('newer');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await dialog(page).waitFor({ state: 'detached' });
    assert.deepEqual(standIn.clientSecrets, ['newer']);
    await act(page, 'corp', 'Delete');
    await dialog(page).getByText('2 people lose what they connected by it').waitFor();
    const concerned = dialog(page).getByRole('list', { name: 'Who is concerned' }).getByRole('listitem');
    assert.deepEqual(await concerned.allTextContents(), ['ada (2 accounts)', 'grace.hopper']);
    await dialog(page).getByRole('button', { name: 'Delete' }).click();
    await rowOf(page, 'Corp & Sons').waitFor({ state: 'detached' });
  });

  test('many are searched and come in pages', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const [first] = standIn.clients;
    assert.ok(first !== undefined);
    standIn.clients = Array.from({ length: 60 }, (_, n) => ({
      ...first,
      id: `c${n}`,
      displayName: `Client ${n}`,
    }));
    await page.goto(`${standIn.url}/admin/oauth-clients`);
    await rowOf(page, 'Client 49').waitFor();
    assert.equal(await rowOf(page, 'Client 59').count(), 0);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rowOf(page, 'Client 59').waitFor();
    await page.getByRole('searchbox', { name: 'Search OAuth clients' }).fill('client 57');
    await rowOf(page, 'Client 49').waitFor({ state: 'detached' });
    await rowOf(page, 'Client 57').waitFor();
    await page.getByRole('searchbox', { name: 'Search OAuth clients' }).fill('zzz');
    await page.getByText('Nothing found for “zzz”').waitFor();
  });

  test('who is no administrator sees what there is and changes nothing', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, isAdmin: false, roles: ['user'] };
    await page.goto(`${standIn.url}/admin/oauth-clients`);
    await page.getByRole('button', { name: 'Actions for corp' }).click();
    await page.getByRole('menuitem', { name: 'Redirect address' }).waitFor();
    for (const name of ['Change', 'Replace secret', 'Delete'])
      assert.equal(await page.getByRole('menuitem', { name }).count(), 0, name);
    assert.equal(await page.getByRole('button', { name: 'Register a client' }).count(), 0);
  });
});
