import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundleOf } from '../faults/support.ts';
import { callApi, runApp, waitForStatus } from '../support/api.ts';
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

test('keys that became known are dropped: within seconds all that they signed is refused, everybody is signed out, and signs in again', async () => {
  const password = await haic.addUser('grace');
  const old = await haic.accessToken('grace');
  const imported = await callApi<{ id: string }>(haic, old, 'POST', '/api/v1/apps', bundleOf());
  const { id } = await runApp(haic, old, imported.body.id);
  await waitForStatus(haic, old, id, 'DEPLOYED');
  /** At core, and at the router, which lets a token open its person's instance. */
  const ask = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const [api, app] = await Promise.all([
      fetch(`${haic.url}/api/v1/me`, { headers }),
      fetch(`${haic.url}/instance/${id}/`, { headers, redirect: 'manual' }),
    ]);
    return [api.status, app.status];
  };
  assert.deepEqual(await ask(old), [200, 200]);
  const profile = await openBrowser();
  try {
    const page = await profile.page();
    await signIn(page, haic.url, 'grace', password);
    const unsure = await haic.cli(['issuer', 'rotate-keys', '--drop-old']);
    assert.equal(unsure.code, 2, 'it asks, and nobody is there to answer');
    assert.match(unsure.stderr, /everybody is signed out/);
    assert.deepEqual(await ask(old), [200, 200]);

    const key = (await haic.run(['issuer', 'rotate-keys', '--drop-old', '--yes'])).trim();
    const since = Date.now();
    while ((await ask(old)).join() !== '401,401')
      assert.ok(Date.now() - since < 5_000, `still ${await ask(old)} after 5 s`);
    const published = await fetch(`${haic.url}/auth/realms/haic/protocol/openid-connect/certs`);
    const { keys } = (await published.json()) as { keys: { kid: string }[] };
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      [key],
    );
    assert.deepEqual(await (await profile.context.request.get(`${haic.url}/session`)).json(), {
      signedIn: false,
    });
    // Tokens know whole seconds: one of the second in which everybody was signed out would be refused, too (ADR 20).
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // What lasts longer than a session goes on, and people sign in anew.
    assert.deepEqual(await ask(await haic.accessToken('grace')), [200, 200]);
    await signIn(page, haic.url, 'grace', password);
    assert.equal((await profile.context.request.get(`${haic.url}/api/v1/me`)).status(), 200);
  } finally {
    await profile.close();
  }
});
