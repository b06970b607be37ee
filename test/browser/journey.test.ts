import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import { brokenBundle, crashingBundle, picture } from './support.ts';

describe('a new user in a real browser', () => {
  let haic: Haic;
  let password: string;
  let browser: BrowserProfile;
  let page: Page;
  before(async () => {
    haic = await startHaic();
    password = await haic.addUser('ada', { name: 'Ada Lovelace', groups: ['analysts'] });
    browser = await openBrowser();
    page = await browser.page();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  /** Imports by the page, as a person does; ends on the app's page. */
  const importByPage = async (file: string | { name: string; mimeType: string; buffer: Buffer }) => {
    await page.goto(`${haic.url}/import`);
    const chooser = page.waitForEvent('filechooser');
    await page.getByText('Drop a .wave file here').click();
    await (await chooser).setFiles(file);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
  };
  const run = async () => {
    await page.waitForURL(/\/apps\/[0-9a-f-]{36}$/);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/instances\/[0-9a-f-]{36}$/);
  };
  const zip = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/zip', buffer });

  test('signs in by the page, imports, runs, watches it start, and the app knows the name', async () => {
    await page.goto(haic.url);
    await picture(page, 'welcome');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('Username').waitFor();
    await picture(page, 'sign-in');
    await fillSignIn(page, 'ada', password);
    await page.getByRole('heading', { name: 'App Store' }).waitFor();

    await importByPage(await bundleSample(haic, 'who-am-i'));
    await page.getByRole('heading', { name: 'Who am I?' }).first().waitFor();
    await picture(page, 'app');
    await run();
    const stages = page.getByRole('list', { name: 'Stages of the start' });
    for (const label of ['Fetching the bundle', 'Installing what it needs', 'Starting the app', 'Ready'])
      await stages.getByText(label).waitFor();
    await picture(page, 'instance-starting');

    await page.getByText('You are ada').waitFor({ timeout: 120_000 });
    assert.match(page.url(), new RegExp(`^http://[0-9a-f-]{36}\\.localhost:${haic.port}/`));
    const shown = await page.locator('body').innerText();
    assert.match(shown, /analysts/);
    assert.match(shown, /haic-app-/);

    await page.getByRole('button', { name: 'Refresh the token' }).click();
    await page.getByText('Refreshed: the new token of').waitFor();
    await page.getByRole('button', { name: 'Call the platform as me' }).click();
    await page.getByText('The platform answered: this app acts for').waitFor();
  });

  test('the instance page says that it runs, since when, and shows its log', async () => {
    await page.goto(`${haic.url}/instances`);
    await page.getByRole('table', { name: 'My instances' }).getByText('Running').waitFor();
    await picture(page, 'instances');
    await page.getByRole('link', { name: 'Who am I?' }).first().click();
    await page.getByText('Uvicorn running on').first().waitFor();
    await picture(page, 'instance-ready');
  });

  test('every problem of a broken bundle is shown at once, and nothing is imported', async () => {
    await importByPage(zip('broken.wave', brokenBundle()));
    const problems = page.getByRole('list', { name: 'Problems of the bundle' });
    await problems.waitFor();
    const said = await problems.innerText();
    for (const key of ['App.Name', 'App.Version', 'Runtime.Module', 'Runtime.MemoryLimit'])
      assert.match(said, new RegExp(key.replace('.', '\\.')));
    await picture(page, 'import-broken');
    const token = await haic.accessToken('ada');
    const { body } = await callApi<{ items: { name: string }[] }>(haic, token, 'GET', '/api/v1/apps');
    assert.deepEqual(
      body.items.map(({ name }) => name),
      ['who-am-i'],
    );
  });

  test('an app that crashes at import shows why, and the last lines of its traceback', async () => {
    await importByPage(zip('crashing.wave', crashingBundle()));
    await run();
    const panel = page.getByRole('region', { name: 'What went wrong' });
    await panel.getByText("ModuleNotFoundError: No module named 'a_package_that_nobody_has'").waitFor({
      timeout: 60_000,
    });
    const said = await panel.innerText();
    assert.match(said, /The app ended with exit code 1/);
    assert.match(said, /Likely cause[\s\S]*a_package_that_nobody_has/);
    await page.getByText('Failed').first().waitFor({ timeout: 60_000 });
    await picture(page, 'instance-failed');
    // Its own address tells the same, instead of a bare error.
    const instancePage = page.url();
    await page.goto(`http://${instancePage.split('/').at(-1)}.localhost:${haic.port}/`);
    await page.getByText('a_package_that_nobody_has').first().waitFor();
    await picture(page, 'status-page-failed');
    await page.goto(instancePage);
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Terminate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
    await page.waitForURL(/\/instances$/);
  });

  test('files are uploaded to an app, listed, and downloaded as they were', async () => {
    const token = await haic.accessToken('ada');
    const app = await importBundle(haic, token, await bundleSample(haic, 'files'));
    const { id, url } = await runApp(haic, token, app.id);
    await waitForStatus(haic, token, id, 'DEPLOYED');
    const content = `the content ${'x'.repeat(100_000)}`;
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'haic-upload-')), 'numbers.csv');
    await writeFile(file, content);

    await page.goto(url);
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.getByText('Kept numbers.csv').waitFor();
    const row = page.getByRole('row').filter({ hasText: 'numbers.csv' });
    await row.waitFor();
    assert.match(await row.innerText(), /97\.\d KiB/);
    await row.locator('[role=checkbox], .ms-DetailsRow-check').first().click();
    await page.getByRole('button', { name: 'Download' }).click();
    const link = page.getByRole('link', { name: 'numbers.csv' });
    await link.waitFor();
    const downloaded = await link.evaluate(async (anchor) =>
      (await fetch(String(Reflect.get(anchor, 'href')))).text(),
    );
    assert.equal(downloaded, content);
  });

  test('the access page shows a platform token once, and it works', async () => {
    await page.goto(`${haic.url}/cli-and-api-access`);
    await page.getByRole('link', { name: 'Get a platform token' }).click();
    await page.getByText('It is shown only this once').waitFor();
    assert.equal(page.url(), `${haic.url}/cli-and-api-access`);
    await picture(page, 'access');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const refreshToken = await page.getByTestId('token').innerText();
    const endpoint = await page.locator('dd', { hasText: '/token' }).locator('code').innerText();
    const granted = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'haic-platform',
        refresh_token: refreshToken,
      }),
    });
    const { access_token } = (await granted.json()) as { access_token: string };
    const me = await callApi<{ username: string }>(haic, access_token, 'GET', '/api/v1/me');
    assert.deepEqual([me.status, me.body.username], [200, 'ada']);

    await page.reload();
    await page.getByRole('heading', { name: 'CLI & API access' }).waitFor();
    assert.equal(await page.getByText(refreshToken).count(), 0);
  });
});
