import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, holds, openBrowser } from '../support/browser.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

describe('the real pages', () => {
  let haic: Haic;
  let token: string;
  let password: string;
  let browser: BrowserProfile;
  let page: Page;
  const apps: Record<string, string> = {};
  before(async () => {
    haic = await startHaic();
    password = await haic.addUser('ada', { name: 'Ada Lovelace' });
    token = await haic.accessToken('ada');
    for (const name of ['hello', 'files', 'who-am-i'])
      apps[name] = (await importBundle(haic, token, await bundleSample(haic, name), 'ALL_USERS')).id;
    browser = await openBrowser();
    page = await browser.page();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  /** Presses Tab until the element with this accessible name has the focus. */
  const tabTo = async (role: 'link' | 'button', name: string | RegExp) => {
    const wanted = page.getByRole(role, { name }).first();
    await wanted.waitFor();
    for (let n = 0; n < 60; n += 1) {
      if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab never led to the ${role} ${String(name)}.`);
  };

  test('from sign-in to a running app by the keyboard alone', async () => {
    await page.goto(haic.url);
    await tabTo('link', 'Sign in');
    await page.keyboard.press('Enter');
    await page.getByLabel('Username').waitFor();
    // The first field has the focus already.
    await page.keyboard.type('ada');
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');

    await tabTo('link', /^Hello/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/apps\//);
    await tabTo('button', 'Run');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    // Run has the focus; the choice above it is reached backwards, and Escape leaves everything as it was.
    await dialog.getByRole('button', { name: 'Run', exact: true }).waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await holds(page, 'document.activeElement?.textContent === "Run"');
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Run', exact: true }).waitFor();
    await holds(
      page,
      'document.activeElement?.closest("[role=dialog]") && document.activeElement.textContent === "Run"',
    );
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/instances\//);
    await page.waitForURL(new RegExp(`^http://[0-9a-f-]{36}\\.localhost:${haic.port}/`), {
      timeout: 60_000,
    });
  });

  test('no page scrolls sideways at 360 px, and none complains', async () => {
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const { body } = await callApi<{ items: { id: string }[] }>(haic, token, 'GET', '/api/v1/instances');
    const instance = body.items[0]?.id as string;
    const pages: Record<string, string> = {
      store: '/',
      app: `/apps/${apps['who-am-i']}`,
      'my-apps': '/my-apps',
      instances: '/instances',
      instance: `/instances/${instance}`,
      import: '/import',
      access: '/cli-and-api-access',
      account: '/auth/realms/haic/account',
      nowhere: '/no-such-page',
    };
    for (const [name, route] of Object.entries(pages)) {
      await page.goto(`${haic.url}${route}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.setViewportSize({ width: 360, height: 740 });
      const fits = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
      // The page is laid out anew some moments after its window has another width.
      await holds(page, fits, 5).catch(async () => {
        const wide = await page.evaluate<string>(
          '[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120)).slice(0, 6).join("\\n")',
        );
        throw new Error(`${name} scrolls sideways, by:\n${wide}`);
      });
      await page.setViewportSize({ width: 1280, height: 800 });
      await picture(page, name);
    }
    // What a browser itself says about the 404 that was asked for is no complaint of the page.
    assert.deepEqual(
      complaints.filter((text) => !/Failed to load resource/.test(text)),
      [],
    );
  });

  test('an instance that starts shows its status page at its own address, and goes on to the app by itself', async () => {
    const { id, url } = await runApp(haic, token, apps['who-am-i'] as string);
    await page.goto(url);
    if ((await page.getByText('You are').count()) === 0) await picture(page, 'status-page');
    await page.getByText('You are ada', { exact: true }).waitFor({ timeout: 60_000 });
    await waitForStatus(haic, token, id, 'DEPLOYED');
    await picture(page, 'who-am-i');
  });
});
