import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import * as oidc from 'openid-client';
import { openBrowser } from '../support/browser.ts';
import { pythonWith } from '../support/python.ts';
import type { World } from './world.ts';

const authlib = ['authlib==1.9.6', 'requests==2.32.5'];
const authlibClient = path.join(import.meta.dirname, 'authlib_client.py');
const seconds = 60_000;

/** Signs in at an address that a client made, and returns where the browser is sent back to; the portal, which did not begin it, leaves it alone. */
async function signInAndReturn(world: World, address: string, redirectUri: string): Promise<string> {
  const profile = await openBrowser();
  try {
    const page = await profile.page();
    const back = page.waitForRequest((request) => request.url().startsWith(`${redirectUri}?`));
    await page.goto(address);
    await world.fillSignIn(page, world.person('ada'));
    return (await back).url();
  } finally {
    await profile.close();
  }
}

/** Clients that nobody of this project wrote find the issuer to be what the standards say. */
export function foreignClients(world: () => World): void {
  const meOf = async (token: string) => {
    const response = await fetch(`${world().haic.url}/api/v1/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await response.json()) as { username?: string };
  };

  test('openid-client: code flow, user info, the same refresh token twice at once, revocation', async () => {
    const { issuer, haic } = world();
    const redirectUri = `${haic.url}/auth/get-token/callback`;
    const client = await oidc.discovery(new URL(issuer), 'haic-cli', undefined, oidc.None(), {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    });
    const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
    const address = oidc.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope: 'openid profile offline_access',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const callback = new URL(await signInAndReturn(world(), address.href, redirectUri));
    const tokens = await oidc.authorizationCodeGrant(client, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const subject = tokens.claims()?.sub ?? '';
    assert.equal((await oidc.fetchUserInfo(client, tokens.access_token, subject)).preferred_username, 'ada');
    const refreshToken = tokens.refresh_token ?? '';
    const refreshed = await Promise.all([1, 2].map(() => oidc.refreshTokenGrant(client, refreshToken)));
    for (const { access_token } of refreshed) assert.equal((await meOf(access_token)).username, 'ada');
    await oidc.tokenRevocation(client, refreshToken);
    await assert.rejects(
      oidc.refreshTokenGrant(client, refreshToken),
      (error) => error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant',
    );
  });

  test('Authlib: code flow, the ID token by the published keys, refresh, revocation', async () => {
    const { issuer, haic } = world();
    const redirectUri = `${haic.url}/auth/get-platform-token/callback`;
    const python = await pythonWith(authlib);
    const child = spawn(python, [authlibClient, issuer, 'haic-platform', redirectUri], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: seconds,
      // Its transport is plain here, which the library refuses without this.
      env: { PATH: '/usr/bin:/bin', AUTHLIB_INSECURE_TRANSPORT: '1' },
    });
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => String((await said.next()).value);
    child.stdin.end(`${await signInAndReturn(world(), await line(), redirectUri)}\n`);
    const found = JSON.parse(await line()) as Record<string, unknown>;
    const { accessToken, ...facts } = found;
    assert.deepEqual(facts, {
      ...{ username: 'ada', sameSubject: true, offlineAccess: true, afterRevocation: 'invalid_grant' },
    });
    assert.equal((await meOf(String(accessToken))).username, 'ada');
  });
}
