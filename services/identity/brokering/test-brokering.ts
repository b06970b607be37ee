import assert from 'node:assert/strict';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import * as oidc from 'openid-client';
import { freePort, portalSecret, startTestIdentity } from '../test-identity.ts';
import { TestBrowser } from '../testing.ts';
import { foreignClient, startForeignProvider } from './foreign-provider.ts';
import { parseUpstreamProviders } from './provider-settings.ts';

export const password = 'correct horse battery staple';
export type TestBrokering = Awaited<ReturnType<typeof startTestBrokering>>;

/** Haic's own issuer with two other providers, `corp` and `other`, of which `other` lets nobody new in. */
export async function startTestBrokering(corp: Record<string, unknown> = {}) {
  const aliases = ['corp', 'other'];
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const endpointOf = (alias: string) => `${publicUrl}/auth/realms/haic/broker/${alias}/endpoint`;
  const [first, second] = await Promise.all(
    aliases.map((alias) => startForeignProvider([endpointOf(alias)])),
  );
  assert.ok(first !== undefined && second !== undefined);
  const client = { clientId: foreignClient.id, clientSecret: foreignClient.secret };
  const upstreamProviders = parseUpstreamProviders(
    JSON.stringify([
      {
        ...client,
        alias: 'corp',
        title: 'Corp & Sons',
        issuer: first.issuer,
        everybody: ['user'],
        roleClaim: 'groups',
        roles: { bosses: ['admin'] },
        groupClaim: 'groups',
        groupPrefix: 'corp/',
        trustEmail: true,
        newPeople: true,
        ...corp,
      },
      { ...client, alias: 'other', title: 'Other', issuer: second.issuer },
    ]),
  );
  const haic = await startTestIdentity({ upstreamProviders, publicUrl, port });
  const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
  const redirectUri = `${publicUrl}/oauth2/callback`;
  const atCallback = (url: string) => url.startsWith(`${redirectUri}?`);

  /** As the portal sends a browser to sign in. */
  const newRequest = async (parameters: Record<string, string> = {}) => {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...parameters,
    });
    return {
      url: url.href,
      tokens: (callback: string) =>
        oidc.authorizationCodeGrant(config, new URL(callback), {
          expectedState: state,
          pkceCodeVerifier: verifier,
        }),
    };
  };

  /** To the sign-in page, and where its button leads. */
  const toButton = async (browser: TestBrowser, alias: string, parameters: Record<string, string> = {}) => {
    const request = await newRequest(parameters);
    const page = await browser.follow(request.url, atCallback);
    assert.ok(page.response !== undefined, 'a sign-in page is shown');
    const markup = await page.response.text();
    const href = new RegExp(`href="([^"]*/broker/${alias}/login[^"]*)"`)
      .exec(markup)?.[1]
      ?.replaceAll('&amp;', '&');
    assert.ok(href !== undefined, `no button of ${alias}: ${markup.slice(-800)}`);
    return { request, page: page.url, markup, button: new URL(href, page.url).href };
  };

  /** Presses the button and goes as far as the browser gets by itself. */
  const come = async (alias: 'corp' | 'other', browser = new TestBrowser(), parameters = {}) => {
    const start = await toButton(browser, alias, parameters);
    const end = await browser.follow(start.button, atCallback);
    const markup = (await end.response?.text()) ?? '';
    return { ...start, browser, end: end.url, status: end.response?.status ?? 0, markup };
  };

  return {
    ...haic,
    corp: first,
    other: second,
    endpointOf,
    atCallback,
    toButton,
    come,
    /** The same to the end: somebody is let in. Their claims, and what was given to the portal. */
    signInWith: async (alias: 'corp' | 'other', browser?: TestBrowser) => {
      const arrived = await come(alias, browser);
      assert.ok(atCallback(arrived.end), `${arrived.end}: ${arrived.status} ${arrived.markup.slice(-900)}`);
      const tokens = await arrived.request.tokens(arrived.end);
      const principal = await haic.verifyToken(tokens.access_token);
      return { ...arrived, tokens, principal };
    },
    /** Submits the form of the linking page that is shown. */
    prove: async (
      arrived: {
        browser: TestBrowser;
        end: string;
        request: { tokens(callback: string): ReturnType<typeof oidc.authorizationCodeGrant> };
      },
      fields: Record<string, string>,
    ) => {
      const response = await arrived.browser.submit(arrived.end, fields);
      const location = response.headers.get('location');
      if (location === null)
        return { status: response.status, markup: await response.text(), principal: undefined };
      const end = await arrived.browser.follow(new URL(location, arrived.end).href, atCallback);
      assert.ok(end.response === undefined, `ended at ${end.url}`);
      const tokens = await arrived.request.tokens(end.url);
      return { status: 200, markup: '', principal: await haic.verifyToken(tokens.access_token) };
    },
    stop: async () => {
      await haic.stop();
      await first.stop();
      await second.stop();
    },
  };
}
