import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import * as oidc from 'openid-client';
import { portalSecret } from '../test-identity.ts';
import { TestBrowser } from '../testing.ts';
import { password, startTestBrokering, type TestBrokering } from './test-brokering.ts';

/** Somebody clicks a link to an app twice, or restores a window full of them: each tab is to arrive, whatever the order. */
suite('Two tabs of one browser that sign in at once', () => {
  let haic: TestBrokering;
  before(async () => {
    haic = await startTestBrokering();
    for (const username of ['tabby', 'other'])
      await haic.identity.operator.add({ username, roles: ['user'], groups: [] }, password);
  });
  after(() => haic?.stop());

  let people = 0;
  const somebody = () => {
    people += 1;
    return { sub: `t-${people}`, preferred_username: `tabs${people}`, groups: [] };
  };
  type Tab = Awaited<ReturnType<TestBrokering['toButton']>>;
  const open = async (browser: TestBrowser): Promise<Tab> => haic.toButton(browser, 'corp');
  /** Fills in the form of the tab, and goes where that leads. */
  const typePassword = async (browser: TestBrowser, tab: Tab, username = 'tabby') => {
    const response = await browser.submit(tab.page, { username, password });
    const location = response.headers.get('location');
    assert.ok(location !== null, `${response.status}: ${(await response.text()).slice(-600)}`);
    return browser.follow(new URL(location, tab.page).href, haic.atCallback);
  };
  const personOf = async (tab: Tab, end: { url: string; response?: Response }) => {
    assert.ok(haic.atCallback(end.url), `ended at ${end.url}: ${(await end.response?.text())?.slice(-600)}`);
    const tokens = await tab.request.tokens(end.url);
    return (await haic.verifyToken(tokens.access_token)).username;
  };

  test('with the password, one after the other: both arrive, and in either order', async () => {
    for (const reversed of [false, true]) {
      const browser = new TestBrowser();
      const tabs = [await open(browser), await open(browser)];
      for (const tab of reversed ? tabs.toReversed() : tabs)
        assert.equal(await personOf(tab, await typePassword(browser, tab)), 'tabby');
    }
  });

  test('with the password, in the same instant: both arrive', async () => {
    const browser = new TestBrowser();
    const tabs = [await open(browser), await open(browser), await open(browser)];
    const ends = await Promise.all(tabs.map((tab) => typePassword(browser, tab)));
    for (const [index, tab] of tabs.entries())
      assert.equal(await personOf(tab, ends[index] ?? assert.fail()), 'tabby');
  });

  test('a tab that was open while the other signed in goes on when it is loaded again, without a password', async () => {
    const browser = new TestBrowser();
    const [first, second] = [await open(browser), await open(browser)];
    await typePassword(browser, first);
    const end = await browser.follow(second.request.url, haic.atCallback);
    assert.equal(await personOf(second, end), 'tabby');
  });

  test('the second tab of somebody else ends what the first began: a browser is one person’s at a time', async () => {
    const browser = new TestBrowser();
    const [first, second] = [await open(browser), await open(browser)];
    const arrived = await typePassword(browser, first);
    const tokens = await first.request.tokens(arrived.url);
    assert.equal(await personOf(second, await typePassword(browser, second, 'other')), 'other');
    const portal = await haic.clientOf(wellKnownClients.portal, portalSecret);
    await assert.rejects(oidc.refreshTokenGrant(portal, tokens.refresh_token ?? ''), {
      error: 'invalid_grant',
    });
    assert.equal((await browser.follow(first.request.url, haic.atCallback)).response, undefined);
  });

  test('through another provider, both on their way before either is back: both arrive, and in either order', async () => {
    for (const reversed of [false, true]) {
      haic.corp.person = somebody();
      const browser = new TestBrowser();
      const tabs = [await open(browser), await open(browser)];
      const ways: { tab: Tab; back: string }[] = [];
      for (const tab of tabs) {
        const atEndpoint = (url: string) => url.startsWith(`${haic.endpointOf('corp')}?`);
        ways.push({ tab, back: (await browser.follow(tab.button, atEndpoint)).url });
      }
      for (const { tab, back } of reversed ? ways.toReversed() : ways)
        assert.equal(
          await personOf(tab, await browser.follow(back, haic.atCallback)),
          haic.corp.person.preferred_username,
        );
    }
  });

  test('through another provider, in the same instant: both arrive', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const tabs = [await open(browser), await open(browser), await open(browser)];
    const ends = await Promise.all(tabs.map((tab) => browser.follow(tab.button, haic.atCallback)));
    for (const [index, tab] of tabs.entries())
      assert.equal(await personOf(tab, ends[index] ?? assert.fail()), haic.corp.person.preferred_username);
  });

  test('one tab by password and one through another provider: whoever came last is who is signed in', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const [first, second] = [await open(browser), await open(browser)];
    assert.equal(await personOf(first, await typePassword(browser, first)), 'tabby');
    const end = await browser.follow(second.button, haic.atCallback);
    assert.equal(await personOf(second, end), haic.corp.person.preferred_username);
  });

  test('the button pressed twice in one tab: the answer to either press is taken once', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const tab = await open(browser);
    const atEndpoint = (url: string) => url.startsWith(`${haic.endpointOf('corp')}?`);
    await browser.follow(tab.button, atEndpoint);
    const second = await browser.follow(tab.button, atEndpoint);
    const end = await browser.follow(second.url, haic.atCallback);
    assert.equal(await personOf(tab, end), haic.corp.person.preferred_username);
    assert.equal((await browser.fetch(second.url)).status, 400);
  });
});
