import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const act = async (page: Page, name: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
};

describe('Service accounts', () => {
  test('with the keyboard: one is made, and its secret is shown once', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Service accounts' })
      .click();
    await page.getByRole('button', { name: 'Make a service account' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('nightly-build');
    await page.keyboard.press('Enter');
    await page.getByText('"nightly-build" already.').waitFor();
    await page.keyboard.type('-2');
    await page.keyboard.press('Enter');
    const secret = await page.getByTestId('secret').textContent();
    assert.match(secret ?? '', /^HAIC_CLIENT_ID=haic-sa-nightly-build-2\nHAIC_CLIENT_SECRET=haic_sa_\w{32}$/);
    await page.keyboard.press('Escape');
    await page.getByTestId('secret').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await rowOf(page, 'nightly-build-2').waitFor();
    assert.doesNotMatch(await page.content(), /haic_sa_/);
  });

  test('a secret is replaced, an account disabled, enabled and removed; what ends something asks first', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/service-accounts`);
    await rowOf(page, 'orphan').getByText('Without an owner').waitFor();
    await rowOf(page, 'old-dashboard').getByText('Expired').waitFor();
    await act(page, 'nightly-build', 'New secret');
    await page.getByRole('radio', { name: 'Ends at once' }).check();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await page.getByTestId('secret').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    await act(page, 'nightly-build', 'Disable');
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await rowOf(page, 'nightly-build').getByText('Disabled').waitFor();
    await act(page, 'nightly-build', 'Enable');
    await rowOf(page, 'nightly-build').getByText('Disabled').waitFor({ state: 'detached' });
    await act(page, 'nightly-build', 'Remove');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await rowOf(page, 'nightly-build').waitFor({ state: 'detached' });
    await page.getByRole('searchbox', { name: 'Search service accounts' }).fill('zzz');
    await page.getByText('Nothing found for “zzz”').waitFor();
  });
});
