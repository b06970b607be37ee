import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser, signIn } from '../support/browser.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

const names = ['admin', 'bob', 'ada'] as const;
type Name = (typeof names)[number];

describe('an administrator, and bob who leaves', () => {
  let haic: Haic;
  let instance: { id: string; url: string };
  let appId: string;
  const passwords: Record<string, string> = {};
  const tokens: Record<string, string> = {};
  const profiles: BrowserProfile[] = [];
  const pages = new Map<Name, Page>();
  const pageOf = (name: Name): Page => pages.get(name) as Page;
  before(async () => {
    haic = await startHaic();
    passwords.admin = haic.admin.password;
    for (const name of ['bob', 'ada']) passwords[name] = await haic.addUser(name);
    for (const name of names) {
      tokens[name] = await haic.accessToken(name);
      const profile = await openBrowser();
      profiles.push(profile);
      pages.set(name, await profile.page());
    }
    const bobs = tokens.bob as string;
    appId = (await importBundle(haic, bobs, await bundleSample(haic, 'files'))).id;
    instance = await runApp(haic, bobs, appId);
    await waitForStatus(haic, bobs, instance.id, 'DEPLOYED');
  });
  after(async () => {
    for (const profile of profiles) await profile.close();
    await haic?.stop();
  });
  const signInAs = (name: Name) => signIn(pageOf(name), haic.url, name, passwords[name] as string);
  /** What the instance's own address answers somebody who is signed in. */
  const statusFor = async (name: Name): Promise<number | undefined> => {
    const tab = await pageOf(name).context().newPage();
    const response = await tab.goto(instance.url);
    await tab.close();
    return response?.status();
  };
  const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

  test('bob keeps a file in his private instance', async () => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'haic-upload-')), 'notes.txt');
    await writeFile(file, 'what bob knew');
    await signInAs('bob');
    const page = pageOf('bob');
    await page.goto(instance.url);
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.getByText('Kept notes.txt').waitFor();
  });

  test('the administrator finds who uses what, and may not look into it', async () => {
    await signInAs('admin');
    const page = pageOf('admin');
    await page.getByRole('link', { name: 'All apps' }).click();
    const app = rowOf(page, 'Files');
    await app.getByText('bob').waitFor();
    await app.getByText('1, 1 running').waitFor();
    await picture(page, 'admin-apps');
    await app.getByRole('link', { name: '1, 1 running' }).click();
    await rowOf(page, 'Files').getByText('Running').waitFor();
    await picture(page, 'admin-instances');
    await page.getByRole('button', { name: 'Actions for Files 1.0.0 of bob' }).click();
    await page.getByRole('menuitem', { name: 'Pause', exact: true }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: 'Open' }).count(), 0);
    await page.keyboard.press('Escape');
    assert.equal(await statusFor('admin'), 404);
  });

  test('disables bob: his app closes, his session ends, his instance is paused', async () => {
    const page = pageOf('admin');
    const bobs = pageOf('bob');
    const socket = bobs.waitForEvent('websocket', (opened) => opened.url().includes('/_s/'));
    await bobs.reload();
    const open = await socket;
    const closed = open.waitForEvent('close');

    await page.getByRole('link', { name: 'People', exact: true }).click();
    await page.getByRole('button', { name: 'Actions for bob', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    await page.getByTestId('owns').getByText('bob owns 1 app and 1 instance, 1 of them running.').waitFor();
    await picture(page, 'admin-disable');
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await closed;
    await page.getByText('bob is disabled. Hand over what they own?').waitFor();

    await bobs.goto(instance.url);
    await fillSignIn(bobs, 'bob', passwords.bob as string);
    await bobs.getByText('The user name or the password is wrong.').waitFor();
    const { body } = await callApi<{ status: string }>(
      haic,
      tokens.admin,
      'GET',
      `/api/v1/instances/${instance.id}`,
    );
    assert.equal(body.status, 'SUSPENDED');
    const resumed = await callApi(haic, tokens.admin, 'POST', `/api/v1/instances/${instance.id}/resume`);
    assert.equal(resumed.status, 409);
  });

  test('hands his app and his instance to ada', async () => {
    const page = pageOf('admin');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('searchbox', { name: 'New owner' }).fill('ada');
    await dialog.getByRole('radio', { name: 'ada', exact: true }).check();
    assert.equal(await dialog.getByRole('checkbox', { checked: true }).count(), 2);
    await picture(page, 'admin-hand-over');
    await dialog.getByRole('button', { name: 'Hand over' }).click();
    await dialog.waitFor({ state: 'detached' });
    for (const what of [`apps/${appId}`, `instances/${instance.id}`]) {
      const { body } = await callApi<{ owner: { username: string } }>(
        haic,
        tokens.ada,
        'GET',
        `/api/v1/${what}`,
      );
      assert.equal(body.owner.username, 'ada', what);
    }
    const still = await callApi<{ apps: unknown[]; instances: unknown[] }>(
      haic,
      tokens.admin,
      'GET',
      '/api/v1/people/bob/belongings',
    );
    assert.deepEqual([still.body.apps, still.body.instances], [[], []]);
  });

  test('ada resumes it and sees the file that bob kept; the administrator still may not', async () => {
    await signInAs('ada');
    const page = pageOf('ada');
    await page.goto(`${haic.url}/instances`);
    await page.getByRole('button', { name: 'Resume Files 1.0.0' }).click({ timeout: 60_000 });
    await page.waitForURL(`${instance.url}**`, { timeout: 120_000 });
    await rowOf(page, 'notes.txt').waitFor({ timeout: 60_000 });
    assert.equal(await statusFor('admin'), 404);
  });

  test('enabled again, bob finds nothing of it', async () => {
    const page = pageOf('admin');
    await page.getByRole('button', { name: 'Actions for bob', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Enable' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await signInAs('bob');
    const bobs = pageOf('bob');
    await bobs.goto(`${haic.url}/instances`);
    await bobs.getByText('You run nothing just now').waitFor();
    assert.equal(await statusFor('bob'), 404);
    assert.equal((await callApi(haic, tokens.bob, 'GET', `/api/v1/apps/${appId}`)).status, 404);
  });
});
