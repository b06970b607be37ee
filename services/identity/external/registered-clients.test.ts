import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { HaicError, unavailable } from '@haic/kit/errors.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { identityMigrations } from '../migrations.ts';
import type { ClientRegistration } from './client-registration.ts';
import { createRegisteredClients, type RegisteredClients } from './registered-clients.ts';
import { createExternalStore, type ExternalStore } from './store.ts';

/** Keycloak's registration service as far as it matters here; test/issuers kills Haic in front of a real one. */
function issuer() {
  const clients = new Map<string, { secret: string; token: string }>();
  let fault: 'before' | 'after' | undefined;
  const registration: ClientRegistration = {
    register: async ({ clientId, clientSecret }) => {
      if (fault === 'before') throw unavailable('issuer_unavailable', 'It cannot be reached.');
      if (clients.has(clientId))
        throw new HaicError('client_registration_refused', 502, 'It has one of that name.');
      const token = randomBytes(8).toString('hex');
      clients.set(clientId, { secret: clientSecret, token });
      if (fault === 'after') throw unavailable('issuer_unavailable', 'The answer was lost.');
      return { registrationToken: token };
    },
    remove: async (clientId, token) => {
      if (clients.get(clientId)?.token === token) clients.delete(clientId);
    },
  };
  return {
    clients,
    registration,
    failing: async (when: typeof fault, work: () => Promise<unknown>) => {
      fault = when;
      await assert.rejects(work(), { code: 'issuer_unavailable' });
      fault = undefined;
    },
    connection: {
      knows: async ({ id, secret }: { id: string; secret: string }) => clients.get(id)?.secret === secret,
      revoke: async () => undefined,
    },
  };
}

describe('the client of an instance at an issuer of the organisation', () => {
  let database: Awaited<ReturnType<typeof startTestDatabase>>;
  let store: ExternalStore;
  before(async () => {
    database = await startTestDatabase();
    await migrate(database.database, identityMigrations);
    store = createExternalStore(database.database, randomBytes(32));
  });
  after(() => database.stop());

  const app = (instanceId: string, host = instanceId) => ({
    instanceId,
    appId: 'an app',
    name: 'Churn',
    redirectUri: `http://${host}.localhost/_auth/callback`,
    postLogoutRedirectUri: 'http://localhost/',
  });
  const world = (): ReturnType<typeof issuer> & { registered: RegisteredClients } => {
    const at = issuer();
    const registered = createRegisteredClients({
      ...at,
      store,
      grantRedirectUri: 'http://localhost/auth/app-grant/callback',
      logger: createLogger('test', 'silent'),
    });
    return { ...at, registered };
  };

  test('is made anew with another secret, and removed without a trace', async () => {
    const { registered, clients } = world();
    const first = await registered.register(app('one'));
    const second = await registered.register(app('one'));
    assert.notEqual(first.clientSecret, second.clientSecret);
    assert.equal(clients.get('haic-app-one')?.secret, second.clientSecret);
    await registered.remove('one');
    assert.deepEqual([clients.size, await store.listClients()], [0, []]);
  });

  test('whose registration was never heard of is used once, and is named when its instance is gone', async () => {
    const { registered, clients, failing } = world();
    await failing('after', () => registered.register(app('two')));
    assert.deepEqual(await store.listClients(), ['two']);
    const adopted = await registered.register(app('two'));
    assert.equal(clients.get('haic-app-two')?.secret, adopted.clientSecret);
    // By now an instance, and whoever owned it, knew the secret: nobody else gets it.
    await assert.rejects(registered.register(app('two')), { code: 'client_left_behind' });
    await registered.remove('two');
    assert.deepEqual([await registered.leftBehind(), await store.listClients()], [['haic-app-two'], []]);
    clients.delete('haic-app-two');
    assert.deepEqual(await registered.leftBehind(), []);
    assert.notEqual((await registered.register(app('two'))).clientSecret, adopted.clientSecret);
    await registered.remove('two');
  });

  test('is not used at another address than it was made for', async () => {
    const { registered, failing, clients } = world();
    await failing('after', () => registered.register(app('three')));
    await assert.rejects(registered.register(app('three', 'elsewhere')), { code: 'client_left_behind' });
    clients.clear();
    await registered.remove('three');
  });

  test('that never came to be leaves nothing', async () => {
    const { registered, failing, clients } = world();
    await failing('before', () => registered.register(app('four')));
    await registered.remove('four');
    assert.deepEqual([clients.size, await store.listClients(), await registered.leftBehind()], [0, [], []]);
  });

  test('of somebody else’s making is neither used nor remembered', async () => {
    const { registered, clients } = world();
    clients.set('haic-app-five', { secret: 'theirs', token: 'theirs' });
    await assert.rejects(registered.register(app('five')), { code: 'client_registration_refused' });
    assert.deepEqual([await store.listClients(), clients.get('haic-app-five')?.secret], [[], 'theirs']);
  });
});
