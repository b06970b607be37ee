import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { type ArtifactStore, createArtifactStore } from './artifacts.ts';
import { identityMigrations } from './identity.ts';
import { lifetimes, sessionEnd } from './provider/lifetimes.ts';

suite('What the provider has to remember', () => {
  let database: Database;
  let stop: () => Promise<void>;
  let artifacts: ArtifactStore;
  before(async () => {
    ({ database, stop } = await startTestDatabase());
    await migrate(database, identityMigrations);
    artifacts = createArtifactStore(database, randomBytes(32));
  });
  after(() => stop());

  const session = (uid: string, clients: Record<string, string>, more: object = {}) => ({
    uid,
    jti: `id-${uid}`,
    kind: 'Session',
    accountId: 'ada',
    exp: Math.floor(Date.now() / 1000) + 60,
    authorizations: Object.fromEntries(Object.entries(clients).map(([id, grantId]) => [id, { grantId }])),
    ...more,
  });
  const clientsOf = async (uid: string) =>
    Object.keys((await artifacts.findSession(uid))?.authorizations ?? {}).sort();

  test('migrating twice changes nothing', async () => {
    assert.deepEqual(await migrate(database, identityMigrations), []);
  });

  test('two tabs that save one session at once keep the clients of both', async () => {
    await artifacts.upsert('Session', 'a', session('one', {}), 60);
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        artifacts.upsert('Session', 'a', session('one', { [`client${index}`]: `grant${index}` }), 60),
      ),
    );
    assert.equal((await clientsOf('one')).length, 8);
  });

  test('a session that is found under two ids has the clients of both', async () => {
    await artifacts.upsert('Session', 'b1', session('two', { portal: 'g1' }), 60);
    await artifacts.upsert('Session', 'b2', session('two', { app: 'g2' }), 60);
    assert.deepEqual(await clientsOf('two'), ['app', 'portal']);
  });

  test('an ended session is not brought back by a request that was under way', async () => {
    await artifacts.upsert('Session', 'c', session('three', { portal: 'g' }), 60);
    await artifacts.destroySession('three');
    await artifacts.upsert('Session', 'c', session('three', { portal: 'g' }), 60);
    assert.equal(await artifacts.find('Session', 'c'), undefined);
    assert.equal(await artifacts.findSession('three'), undefined);
  });

  test('the session of someone else under the same id inherits nothing', async () => {
    await artifacts.upsert('Session', 'd', session('four', { portal: 'g' }), 60);
    await artifacts.upsert('Session', 'd', session('four', { app: 'h' }, { accountId: 'grace' }), 60);
    assert.deepEqual(await clientsOf('four'), ['app']);
  });

  test('a code can be used once, also by many at the same time', async () => {
    await artifacts.upsert('AuthorizationCode', 'code', { kind: 'AuthorizationCode', grantId: 'g' }, 60);
    const used = await Promise.all(
      Array.from({ length: 6 }, () => artifacts.consume('AuthorizationCode', 'code')),
    );
    assert.equal(used.filter(Boolean).length, 1);
    assert.equal(typeof (await artifacts.find('AuthorizationCode', 'code'))?.consumed, 'number');
  });

  test('use moves a session’s end, but never beyond its longest life', async () => {
    const now = Math.floor(Date.now() / 1000);
    await artifacts.upsert('Session', 'e', session('five', { portal: 'g' }, { loginTs: now }), 60);
    await artifacts.extendSession('five', sessionEnd);
    const extended = (await artifacts.findSession('five'))?.exp ?? 0;
    assert.ok(Math.abs(extended - (now + lifetimes.sessionIdle)) <= 2);
    const almostOver = now - lifetimes.sessionAbsolute + 120;
    await artifacts.upsert('Session', 'f', session('six', {}, { loginTs: almostOver }), 60);
    await artifacts.extendSession('six', sessionEnd);
    assert.equal((await artifacts.findSession('six'))?.exp, almostOver + lifetimes.sessionAbsolute);
  });

  test('what is stored for one kind cannot be read as another', async () => {
    await artifacts.upsert('RefreshToken', 'token', { kind: 'RefreshToken' }, 60);
    await database.sql`update identity.artifacts set model = 'Session', uid = 'moved' where model = 'RefreshToken'`;
    await assert.rejects(artifacts.findSession('moved'));
  });
});
