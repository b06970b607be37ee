import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type BrowserProfile, openBrowser, signIn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

describe('a workspace, shared by two people in a Chromium profile each', () => {
  let haic: Haic;
  const profiles: BrowserProfile[] = [];
  let ada: Page;
  let bob: Page;
  before(async () => {
    haic = await startHaic();
    const enter = async (name: string, full: string): Promise<Page> => {
      const password = await haic.addUser(name, { name: full });
      const profile = await openBrowser();
      profiles.push(profile);
      const page = await profile.page();
      await signIn(page, haic.url, name, password);
      await page.goto(`${haic.url}/workspaces`);
      await page.getByRole('link', { name: `Personal workspace of ${name}` }).waitFor();
      return page;
    };
    ada = await enter('ada', 'Ada Lovelace');
    bob = await enter('bob', 'Bob Noyce');
  });
  after(async () => {
    for (const profile of profiles) await profile.close();
    await haic?.stop();
  });
  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
  const add = async (role: string): Promise<void> => {
    await ada.getByRole('button', { name: 'Add a member' }).click();
    await ada.getByRole('searchbox', { name: 'Person or group' }).fill('bob');
    await ada.getByRole('radio', { name: 'Bob Noyce' }).check();
    await ada.getByRole('radio', { name: role }).check();
    await ada.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await row(ada, 'Bob Noyce').waitFor();
  };

  test('Ada makes one and adds Bob as a viewer, who sees it without doing anything', async () => {
    await ada.getByRole('button', { name: 'Make a workspace' }).click();
    await ada.getByRole('textbox', { name: 'Name' }).fill('Fraud detection');
    await ada.getByRole('textbox', { name: 'Description' }).fill('Of the bank');
    await ada.getByRole('button', { name: 'Make', exact: true }).click();
    await ada.getByText('You are an owner here').waitFor();
    assert.equal(await bob.getByRole('link', { name: 'Fraud detection' }).count(), 0);
    await add('Viewer');
    await bob.getByRole('link', { name: 'Fraud detection' }).click();
    await bob.getByText('You are a viewer here').waitFor();
    assert.equal(await bob.getByRole('button', { name: 'Edit' }).count(), 0);
    await picture(ada, 'workspace-owner');
    await picture(bob, 'workspace-viewer');
  });

  test('what she makes of him he is at once, and when she removes him it is gone for him', async () => {
    await ada.getByRole('combobox', { name: 'Role of Bob Noyce' }).selectOption('Admin');
    await bob.getByText('You are an admin here').waitFor();
    await bob.getByRole('button', { name: 'Edit' }).waitFor();
    await ada.getByRole('button', { name: 'Remove Bob Noyce' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await bob.getByText('This workspace does not exist, or you may not see it.').waitFor();
    const asked = await bob.evaluate(
      (path) => fetch(path).then(({ status }) => status),
      `/api/services/authz/v1${new URL(ada.url()).pathname}`,
    );
    assert.equal(asked, 404);
    await bob.goto(`${haic.url}/workspaces`);
    await bob.getByRole('link', { name: 'Personal workspace of bob' }).waitFor();
    assert.equal(await bob.getByRole('link', { name: 'Fraud detection' }).count(), 0);
  });

  test('he leaves one by himself; she deletes it and brings it back', async () => {
    await add('Editor');
    await bob.getByRole('link', { name: 'Fraud detection' }).click();
    await bob.getByRole('button', { name: 'Leave' }).click();
    await bob.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await bob.getByRole('link', { name: 'Personal workspace of bob' }).waitFor();
    await row(ada, 'Bob Noyce').waitFor({ state: 'detached' });

    await ada.getByRole('button', { name: 'Delete' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await ada.getByText('“Fraud detection” is deleted.').waitFor();
    await ada.getByRole('button', { name: 'Undo' }).click();
    await ada.getByRole('button', { name: 'Delete' }).waitFor();
  });
});
