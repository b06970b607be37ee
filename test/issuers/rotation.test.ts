import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, signIn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';

let haic: Haic;
before(async () => {
  haic = await startHaic();
});
after(() => haic?.stop());

const kidOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

test('keys are rotated while people are signed in: nobody is signed out, and tokens of the old key are good', async () => {
  const password = await haic.addUser('ada');
  const old = await haic.accessToken('ada');
  const profile = await openBrowser();
  try {
    const page = await profile.page();
    await signIn(page, haic.url, 'ada', password);
    const me = (token: string) =>
      fetch(`${haic.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await me(old)).status, 200);

    const key = (await haic.run(['issuer', 'rotate-keys'])).trim();
    const published = await fetch(`${haic.url}/auth/realms/haic/protocol/openid-connect/certs`);
    const { keys } = (await published.json()) as { keys: { kid: string }[] };
    assert.equal(keys.length, 2);
    assert.ok(keys.some(({ kid }) => kid === key));
    // Not yet the one that signs: who verifies has to know it first.
    const fresh = await haic.accessToken('ada');
    assert.equal(kidOf(fresh), kidOf(old));
    for (const token of [old, fresh]) assert.equal((await me(token)).status, 200);
    // The session at the portal, and the issuer's own, whose cookie the old key signed.
    assert.equal((await profile.context.request.get(`${haic.url}/api/v1/me`)).status(), 200);
    await page.goto(`${haic.url}/auth/get-platform-token`);
    assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0);
  } finally {
    await profile.close();
  }
});
