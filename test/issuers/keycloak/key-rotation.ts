import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../faults/support.ts';
import { type KeycloakWorld, portalApi, withBrowserOf } from '../world.ts';
import { addServiceAccount } from './service-account.ts';

const kidOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

/** A new key of a higher priority: Keycloak signs with it at once, and keeps the old one to verify. */
async function rotateKeys({ keycloak }: KeycloakWorld): Promise<void> {
  const { id } = await keycloak.admin<{ id: string }>('GET', 'haic', '');
  await keycloak.admin('POST', 'haic', '/components', {
    name: 'the next key',
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId: id,
    config: {
      priority: ['1000'],
      enabled: ['true'],
      active: ['true'],
      algorithm: ['RS256'],
      keySize: ['2048'],
    },
  });
}

export function keyRotation(world: () => KeycloakWorld): void {
  test('Keycloak signs with a new key: Haic fetches it when it first meets it, and nobody is signed out', async () => {
    const account = await addServiceAccount(world(), 'rotating', ['user']);
    const old = await account.accessToken();
    const me = (token: string) =>
      fetch(`${world().haic.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await me(old)).status, 200);
    await withBrowserOf(world(), 'grace', async (grace, page) => {
      await rotateKeys(world());
      const fresh = await account.accessToken();
      assert.notEqual(kidOf(fresh), kidOf(old));
      // The key set is fetched again for an unknown key, at most once in 30 seconds.
      await eventually(async () => ((await me(fresh)).status === 200 ? true : undefined), 35);
      assert.equal((await me(old)).status, 200);
      const { body } = await portalApi<{ username: string }>(world(), grace.context, 'GET', '/api/v1/me');
      assert.equal(body.username, 'grace');

      // And what Keycloak signs for the router: sign-ins, and the word that a session has ended.
      await withBrowserOf(world(), 'root', async () => undefined);
      await world().endSessionsOf('grace');
      await eventually(async () => {
        const session = (await (await grace.context.request.get(`${world().haic.url}/session`)).json()) as {
          signedIn: boolean;
        };
        return session.signedIn ? undefined : true;
      }, 5);
      await page.close();
    });
  });
}
