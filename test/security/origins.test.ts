import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type BrowserProfile, openBrowser, signIn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { type Probe, startProbe } from './support.ts';

/** What script of an app's page does with the session of who looks at it, in a real browser. */
describe('13 origins: script in one app', () => {
  let haic: Haic;
  let evil: Probe;
  let victim: Probe;
  let browser: BrowserProfile;
  let page: Page;
  before(async () => {
    haic = await startHaic();
    const password = await haic.addUser('ada');
    await haic.addUser('mallory');
    evil = await startProbe(haic, await haic.accessToken('mallory'), 'evil', 'ALL_USERS');
    victim = await startProbe(haic, await haic.accessToken('ada'));
    browser = await openBrowser();
    page = await browser.page();
    await signIn(page, haic.url, 'ada', password);
    // Sessions at all three hosts, so that there is something to be taken.
    await page.goto(`${victim.origin}/page`);
    await page.goto(`${evil.origin}/page`);
    await page.getByText('a page of an app').waitFor();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  const attempt = (url: string, init: Record<string, unknown> = {}) =>
    page.evaluate(
      async ({ url, init }) => {
        try {
          const response = await fetch(url, { credentials: 'include', ...init });
          return `${response.type} ${response.status} ${await response.text()}`;
        } catch (error) {
          return `refused: ${String(error)}`;
        }
      },
      { url, init },
    );

  test('reads neither the portal’s API, nor the session, nor another app', async () => {
    for (const route of ['/api/v1/me', '/api/v1/instances', '/session', '/auth/realms/haic/account', '/'])
      assert.match(await attempt(`${haic.url}${route}`), /^refused/, route);
    assert.match(await attempt(`${victim.origin}/private`), /^refused/);
    // Without CORS the answer is opaque: the script learns nothing, and the app was not asked in ada's name.
    assert.match(await attempt(`${victim.origin}/private`, { mode: 'no-cors' }), /^opaque 0 $/);
  });

  test('changes nothing at the portal or another app, by whatever a browser sends without asking first', async () => {
    for (const target of [
      `${haic.url}/api/v1/apps/${victim.appId}/instances`,
      `${haic.url}/logout`,
      `${haic.url}/session/one-time-token`,
    ]) {
      await attempt(target, { method: 'POST', mode: 'no-cors', body: '{"visibility":"PUBLIC"}' });
      assert.match(
        await attempt(target, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-haic-csrf': 'guess' },
          body: '{}',
        }),
        /^refused/,
      );
    }
    await attempt(`${haic.url}/api/v1/instances/${victim.id}`, { method: 'DELETE' });
    const answers: number[] = [];
    page.on('response', (response) => {
      if (response.url().startsWith(`${victim.origin}/form`)) answers.push(response.status());
    });
    await attempt(`${victim.origin}/form`, { method: 'POST', mode: 'no-cors', body: 'x=1' });
    assert.ok(
      answers.every((status) => status === 403 || status === 401),
      String(answers),
    );
    const portal = await browser.page();
    await portal.goto(`${haic.url}/instances`);
    await portal.getByRole('table', { name: 'My instances' }).getByText('Running').waitFor();
    assert.equal(await portal.getByRole('row').count(), 2, 'a heading and the one instance');
    await portal.close();
  });

  test('opens no WebSocket of another app, and frames neither the portal nor sign-in', async () => {
    const socket = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const opened = new WebSocket(url);
          opened.onopen = () => resolve('open');
          opened.onerror = () => resolve('refused');
        }),
      `ws://${victim.host}/_s/`,
    );
    assert.equal(socket, 'refused');
    for (const url of [`${haic.url}/`, `${haic.url}/login`, `${haic.url}/logout`]) {
      await page.setContent(`<iframe src="${url}"></iframe>`);
      const frame = page.frames().find((one) => one !== page.mainFrame());
      await frame?.waitForLoadState().catch(() => {});
      assert.ok(frame === undefined || frame.url().startsWith('chrome-error:'), `${url}: ${frame?.url()}`);
    }
  });

  test('plants no cookie that the portal or another app would take for its own', async () => {
    await page.goto(`${evil.origin}/page`);
    await page.evaluate(`
      for (const domain of ['', '; domain=localhost', '; domain=.localhost', '; domain=localhost:${haic.port}'])
        for (const name of ['haic_session', 'haic_ticket', '__Host-haic_session', 'oidcsession'])
          document.cookie = name + '=planted; path=/' + domain;
    `);
    const cookies = await page.context().cookies([haic.url, victim.origin]);
    assert.deepEqual(
      cookies.filter(({ value }) => value === 'planted'),
      [],
    );
    await page.goto(`${haic.url}/`);
    await page.getByRole('button', { name: 'Account of ada' }).waitFor();
    await page.goto(`${evil.origin}/page`);
    await page.getByText('a page of an app').waitFor();
  });
});
