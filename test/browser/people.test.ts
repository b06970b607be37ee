import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Page, WebSocket } from 'playwright-core';
import { importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser, signIn } from '../support/browser.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';

/** "Ends within 5 s" is what is promised (security.md 7). */
const promised = 5000;

describe('two people, each in a Chromium profile of their own', () => {
  let haic: Haic;
  let url: string;
  const passwords: Record<string, string> = {};
  const profiles: BrowserProfile[] = [];
  const page: Record<string, Page> = {};
  before(async () => {
    haic = await startHaic();
    for (const name of ['ada', 'grace', 'mallory']) passwords[name] = await haic.addUser(name);
    const token = await haic.accessToken('ada');
    const app = await importBundle(haic, token, await bundleSample(haic, 'who-am-i'), 'ALL_USERS');
    const instance = await runApp(haic, token, app.id, 'ALL_USERS');
    url = instance.url;
    await waitForStatus(haic, token, instance.id, 'DEPLOYED');
    for (const name of ['ada', 'grace']) {
      const profile = await openBrowser();
      profiles.push(profile);
      page[name] = await profile.page();
    }
  });
  after(async () => {
    for (const profile of profiles) await profile.close();
    await haic?.stop();
  });
  const pageOf = (name: string): Page => page[name] as Page;
  const password = (name: string): string => passwords[name] as string;

  const signOutAt = async (portal: Page) => {
    await portal.goto(`${haic.url}/`);
    await portal.getByRole('button', { name: /^Account of/ }).click();
    await portal.getByRole('menuitem', { name: 'Sign out' }).click();
    await portal.getByRole('link', { name: 'Sign in' }).waitFor();
  };
  const openApp = async (at: Page, username: string): Promise<WebSocket> => {
    const socket = at.waitForEvent('websocket', (opened) => opened.url().includes('/_s/'));
    await at.goto(url);
    await at.getByText(`You are ${username}`, { exact: true }).waitFor();
    return socket;
  };

  test("one ALL_USERS instance: each sees their own name, through waved's own sign-in", async () => {
    // Both at once, so that a mix-up would show; the sign-in starts at the app's own address.
    await Promise.all(
      ['ada', 'grace'].map(async (name) => {
        await pageOf(name).goto(url);
        await fillSignIn(pageOf(name), name, password(name));
        await pageOf(name).getByText(`You are ${name}`, { exact: true }).waitFor();
      }),
    );
    for (const name of ['ada', 'grace']) {
      const cookies = await pageOf(name).context().cookies(url);
      // waved's own session is there, under the name that binds it to the portal's session.
      assert.ok(cookies.some((cookie) => cookie.name.startsWith('oidcsession_') && cookie.httpOnly));
      await pageOf(name).reload();
      await pageOf(name).getByText(`You are ${name}`, { exact: true }).waitFor();
    }
  });

  test('7 signing out on the portal ends the open app within 5 s, and only for who signed out', async () => {
    const graces = await openApp(pageOf('grace'), 'grace');
    const adas = await openApp(pageOf('ada'), 'ada');
    const portal = await pageOf('ada').context().newPage();
    const closed = adas.isClosed()
      ? Promise.resolve()
      : adas.waitForEvent('close', { timeout: promised * 2 });
    await signOutAt(portal);
    const since = Date.now();
    await closed;
    assert.ok(Date.now() - since < promised);

    const answers: number[] = [];
    pageOf('ada').on('response', (response) => {
      if (response.url().startsWith(url)) answers.push(response.status());
    });
    await pageOf('ada').goto(url);
    await pageOf('ada').getByLabel('Username').waitFor();
    assert.ok(answers.length > 0 && !answers.includes(200), `the app's host answered ${answers}`);
    pageOf('ada').removeAllListeners('response');

    assert.equal(graces.isClosed(), false);
    await pageOf('grace').reload();
    await pageOf('grace').getByText('You are grace', { exact: true }).waitFor();
    await portal.close();
  });

  test('7 who signs in next in the same browser is never the previous one inside the app', async () => {
    const shared = pageOf('ada');
    await signIn(shared, haic.url, 'ada', password('ada'));
    await openApp(shared, 'ada');
    await signOutAt(shared);
    await signIn(shared, haic.url, 'mallory', password('mallory'));
    await shared.goto(url);
    await shared.getByText('You are mallory', { exact: true }).waitFor();
    assert.equal(await shared.getByText('You are ada').count(), 0);
  });

  test('7 signing out inside the app signs out of the portal, too', async () => {
    const shared = pageOf('grace');
    await openApp(shared, 'grace');
    // As Wave's own menu does. waved tells the open page at the same time, which then asks for the app anew: either of the two navigations cuts
    // the other short, and when it is the sign-out the person is still there and presses it again.
    const signOut = () =>
      shared.evaluate((logout) => Reflect.get(globalThis, 'location').assign(logout), `${url}_auth/logout`);
    const isOut = async () => (new URL(shared.url()).origin === haic.url ? true : undefined);
    for (const lastTry of [false, false, true]) {
      await signOut();
      const out = await until(isOut, { everyMs: 50, signal: deadline(15_000) }).catch((error: unknown) => {
        if (lastTry) throw error;
        return undefined;
      });
      if (out === true) break;
    }
    await shared.getByRole('link', { name: 'Sign in' }).or(shared.getByLabel('Username')).waitFor();
    const answer = await shared.context().request.get(`${haic.url}/session`);
    assert.deepEqual(await answer.json(), { signedIn: false });
  });
});
