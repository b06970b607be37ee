import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const open = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('table', { name: 'Workspaces' }).getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
};

describe('Workspaces', () => {
  test('with the keyboard: one is made, described, and somebody put into it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Workspaces' }).click();
    await page.getByRole('button', { name: 'Make a workspace' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Forecasts');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Forecasts', level: 1 }).waitFor();
    await page.getByText('You are an owner here').waitFor();

    await page.getByRole('button', { name: 'Add a member' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('searchbox', { name: 'Person or group' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('grace');
    await page.getByRole('radio', { name: /Grace/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('radio', { name: 'Editor' }).check();
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).focus();
    await page.keyboard.press('Enter');
    await row(page, 'grace.hopper').waitFor();
    assert.equal(await page.getByRole('combobox', { name: /Role of Grace/ }).inputValue(), 'ROLE_EDITOR');
    await page.getByRole('button', { name: 'Add a member' }).and(page.locator(':focus')).waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('members change their roles and are removed; what is refused is taken back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/workspaces`);
    await open(page, 'Fraud detection');
    const mine = page.getByRole('combobox', { name: 'Role of Ada Lovelace' });
    await mine.selectOption('Viewer');
    await page.getByText('This is the last owner of the workspace.').waitFor();
    assert.equal(await mine.inputValue(), 'ROLE_OWNER');
    await page.getByRole('combobox', { name: 'Role of analysts' }).selectOption('Admin');
    await page.getByRole('button', { name: 'Remove analysts' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row(page, 'analysts').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('dialog').getByText('This is the last owner of the workspace.').waitFor();
  });

  test('deleted ones come back at once, or later from the list of deleted ones', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/workspaces`);
    await open(page, 'Fraud detection');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('“Fraud detection” is deleted.').waitFor();
    await page.getByRole('table', { name: 'Workspaces' }).getByText('Churn').waitFor();
    assert.equal(await row(page, 'Fraud detection').count(), 0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Fraud detection', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).waitFor();

    await page.getByRole('link', { name: 'All workspaces' }).click();
    await page.getByText('Deleted', { exact: true }).click();
    await open(page, 'Old experiments');
    assert.equal(await page.getByRole('button', { name: 'Edit' }).count(), 0);
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Edit' }).waitFor();
  });

  test('who only looks changes nothing, and the personal one is shared with nobody', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/workspaces`);
    await open(page, 'Churn');
    await row(page, 'grace.hopper').waitFor();
    for (const name of ['Edit', 'Delete', 'Add a member', /^Remove/])
      assert.equal(await page.getByRole('button', { name }).count(), 0, String(name));
    await page.getByRole('link', { name: 'All workspaces' }).click();
    await open(page, 'Personal workspace of ada');
    await page.getByText('It is yours alone').waitFor();
    assert.equal(await page.getByRole('button', { name: /Leave|Delete|Add/ }).count(), 0);
  });

  test('administrators see all of them, and put an owner in the place of those who are gone', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/workspaces`);
    await page.getByRole('table', { name: 'Workspaces' }).waitFor();
    assert.equal(await row(page, 'Left behind').count(), 0);
    await page.getByRole('switch', { name: "Everybody's" }).check();
    await open(page, 'Left behind');
    await page.getByText('You see this as an administrator').waitFor();
    await page.getByRole('button', { name: 'Put an owner in place' }).click();
    await page.getByRole('searchbox', { name: 'Person' }).fill('grace');
    await page.getByRole('radio', { name: /Grace/ }).check();
    await page.getByRole('button', { name: 'Make owner' }).click();
    await row(page, 'grace.hopper').getByText('Owner').waitFor();
    await page.getByRole('button', { name: 'Put an owner in place' }).waitFor({ state: 'detached' });
  });

  test('are searched, in an address that can be passed on; what is not there is told', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/workspaces`);
    await page.getByRole('searchbox', { name: 'Search workspaces' }).fill('card payments');
    await row(page, 'Churn').waitFor({ state: 'detached' });
    await row(page, 'Fraud detection').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('q'), 'card payments');
    await page.getByRole('searchbox', { name: 'Search workspaces' }).fill('zzz');
    await page.getByText('Nothing found for “zzz”').waitFor();
    await page.goto(`${standIn.url}/workspaces/00000000-0000-4000-8000-000000000009`);
    await page.getByText('This workspace does not exist, or you may not see it.').waitFor();
  });

  test('are for visitors too, who make none', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, roles: ['visitor'], isAdmin: false, fullAccess: false };
    await page.goto(`${standIn.url}/workspaces`);
    await page.getByRole('table', { name: 'Workspaces' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Make a workspace' }).count(), 0);
    assert.equal(await page.getByRole('switch').count(), 0);
  });
});
