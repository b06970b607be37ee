import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { createSecrets } from '../secrets.ts';
import { base64, startTestSecrets, type TestSecrets, testIdentity, verifyTestToken } from '../testing.ts';
import { createKeySource } from './key-source.ts';
import { createVault } from './vault.ts';
import type { KeySource } from './wrapping-keys.ts';

const team = 'workspaces/team/secrets';

async function startWith(options: Parameters<typeof startTestSecrets>[0] = {}): Promise<TestSecrets> {
  const world = await startTestSecrets(options);
  world.workspaces.roles.set('workspaces/team', { ada: 'editor' });
  return world;
}
async function keep(world: TestSecrets, id: string, value: string): Promise<void> {
  for (const [at, body] of [
    [`${team}?secretId=${id}`, { displayName: `Marker of ${id}` }],
    [`${team}/${id}/versions`, { value: base64(value) }],
  ] as const)
    assert.equal((await world.call('ada', 'POST', at, body)).status, 200);
}
const reveal = (world: TestSecrets, id: string) =>
  world.call('ada', 'GET', `${team}/${id}/versions/latest:revealValue`);
const fullyRotated = (world: TestSecrets) =>
  until(async () => ((await world.secrets.rotation.status()).keys.length === 1 ? true : undefined), {
    everyMs: 20,
    signal: AbortSignal.timeout(30_000),
  });
const keyLines = async (world: TestSecrets) =>
  (await readFile(world.keyFile, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

describe('secrets at rest', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startWith();
  });
  after(() => world?.stop());

  it('are in none of the database’s files, its log of changes included', async () => {
    const value = `at-rest-${randomBytes(12).toString('hex')}`;
    await keep(world, 'at-rest', value);
    assert.equal((await reveal(world, 'at-rest')).body.value, base64(value));
    const { sql } = world.database;
    await sql`checkpoint`;
    const [row] = await sql<{ setting: string }[]>`
      select setting from pg_settings where name = 'data_directory'`;
    const files = await filesBelow(row?.setting ?? '');
    const holding = async (text: string) => {
      const found = await Promise.all(files.map(async (file) => (await readFile(file)).includes(text)));
      return files.filter((_, index) => found[index]);
    };
    // What is no secret is found, so this looks where it says.
    const marked = await holding('Marker of at-rest');
    assert.ok(marked.some((file) => file.includes('pg_wal')) && marked.some((file) => file.includes('base')));
    for (const text of [value, base64(value).slice(2, -4), Buffer.from(value).toString('hex')])
      assert.deepEqual(await holding(text), []);
    const keyText = [world.masterKey.toString('hex'), world.masterKey.toString('latin1')];
    for (const text of keyText) assert.deepEqual(await holding(text), []);
  });

  it('cannot be moved to another secret, version or key by who writes the database', async () => {
    await keep(world, 'mine', 'mine');
    await keep(world, 'other', 'other');
    const { sql } = world.database;
    await sql`
      update secrets.version_values as v set sealed = s.sealed
      from secrets.versions w join secrets.secrets x on x.uid = w.secret,
        secrets.version_values s join secrets.versions t on t.uid = s.version join secrets.secrets u on u.uid = t.secret
      where v.version = w.uid and x.id = 'mine' and u.id = 'other'`;
    assert.equal((await reveal(world, 'mine')).status, 500);
    await sql`
      update secrets.secrets set data_key = (select data_key from secrets.secrets where id = 'other') where id = 'mine'`;
    assert.equal((await reveal(world, 'mine')).status, 500);
    assert.equal((await reveal(world, 'other')).body.value, base64('other'));
  });
});

describe('the key that wraps the data keys', () => {
  // The server of all these databases ends with the last of them.
  let server: Awaited<ReturnType<typeof startTestDatabase>>;
  before(async () => {
    server = await startTestDatabase();
  });
  after(() => server?.stop());

  it('is another one after a rotation, during which everything goes on, and the old one is forgotten', async () => {
    const world = await startWith();
    try {
      for (let number = 0; number < 30; number++) await keep(world, `s${number}`, `value ${number}`);
      const before = await world.secrets.rotation.status();
      assert.deepEqual([before.keys.length, before.left], [1, 0]);
      const begun = await world.secrets.rotation.begin();
      assert.notEqual(begun.current, before.current);
      for (let number = 0; number < 30; number++) {
        await keep(world, `t${number}`, `new ${number}`);
        assert.equal((await reveal(world, `s${number}`)).body.value, base64(`value ${number}`));
      }
      await fullyRotated(world);
      const { keys, left, current } = await world.secrets.rotation.status();
      assert.deepEqual([keys.map(({ id }) => id), left, current], [[begun.current], 0, begun.current]);
      assert.equal((await stat(world.keyFile)).mode & 0o777, 0o600);
      const [first] = await keyLines(world);
      await world.secrets.rotation.begin();
      await fullyRotated(world);
      // Struck off in the database first.
      const only = await until(
        async () => {
          const lines = await keyLines(world);
          return lines.length === 1 ? lines[0] : undefined;
        },
        { everyMs: 20, signal: AbortSignal.timeout(30_000) },
      );
      assert.notEqual(only, first, 'the file holds the newest key alone');
      assert.equal((await reveal(world, 's7')).body.value, base64('value 7'));
    } finally {
      await world.stop();
    }
  });

  it('is rotated to its end after kill −9 in the middle, and nothing is lost', async () => {
    const world = await startWith();
    const total = 4000;
    try {
      await keep(world, 'first', 'first');
      await multiply(world, total);
      const before = await world.secrets.rotation.status();
      const run = (begin: string) =>
        spawn(process.execPath, [path.join(import.meta.dirname, 'rotation.fixture.ts')], {
          env: {
            ...{ PATH: process.env.PATH, BEGIN: begin, DATABASE_URL: world.databaseUrl },
            ...{ MASTER_KEY: world.masterKey.toString('hex'), KEY_FILE: world.keyFile },
          },
          stdio: 'inherit',
        });
      const wrapped = async () => {
        const [row] = await world.database.sql<{ n: number }[]>`
          select count(*)::int as n from secrets.data_keys where wrapping_key <> ${before.current}`;
        return row?.n ?? 0;
      };
      let seen = 0;
      for (const begin of ['yes', 'no', 'no']) {
        const child = run(begin);
        const ended = new Promise((resolve) => child.once('exit', resolve));
        const from = seen;
        await until(async () => ((await wrapped()) > from ? true : undefined), {
          everyMs: 2,
          signal: AbortSignal.timeout(30_000),
        });
        child.kill('SIGKILL');
        await ended;
        seen = await wrapped();
        assert.ok(seen > 0 && seen < total, `killed in the middle: ${seen} of ${total}`);
        // The old key and the new one are both there: everything opens in between.
        const keys = createKeySource({ derived: world.masterKey, ownFile: world.keyFile });
        assert.ok((await keys.read()).find(before.current) !== undefined);
      }
      // The platform comes back and goes on by itself.
      world.secrets.rotation.resume();
      await world.secrets.rotation.begin();
      await fullyRotated(world);
      assert.equal(await wrapped(), total);
      assert.equal((await reveal(world, 'first')).body.value, base64('first'));
      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, at) => reveal(world, `copy-${at * 100 + 1}`)),
      );
      assert.ok(opened.every(({ status }) => status === 200));
    } finally {
      await world.stop();
    }
  });

  it('is not struck off while anything is wrapped by it', async () => {
    const world = await startWith();
    try {
      await keep(world, 'a', 'a');
      await assert.rejects(world.database.sql`delete from secrets.wrapping_keys`, { code: '23503' });
    } finally {
      await world.stop();
    }
  });

  it('is missed in clear words when it is lost, and nothing is written under a wrong one', async () => {
    let masterKey = randomBytes(32);
    const right = masterKey;
    const keys: KeySource = {
      read: () => createKeySource({ derived: masterKey, ownFile: '/nonexistent' }).read(),
    };
    const world = await startWith({ keys });
    try {
      await keep(world, 'kept', 'kept');
      masterKey = randomBytes(32);
      const rows = async () => JSON.stringify(await world.database.sql`select * from secrets.data_keys`);
      const before = await rows();
      const later = await startOn(world, keys);
      const id = (await world.secrets.rotation.status()).current;
      for (const [method, at, body] of [
        ['GET', `${team}/kept/versions/latest:revealValue`, undefined],
        ['POST', `${team}/kept/versions`, { value: base64('x') }],
        ['POST', `${team}?secretId=another`, {}],
      ] as const) {
        const answer = await later.call(method, at, body);
        assert.deepEqual([answer.status, answer.body.code], [503, 14], `${method} ${at}`);
        assert.match(answer.body.message, new RegExp(`key ${id}, which Haic does not have`));
      }
      // What needs no key goes on.
      assert.equal((await later.call('GET', team)).body.secrets.length, 1);
      assert.equal((await later.call('DELETE', `${team}/kept`)).status, 200);
      assert.equal((await later.call('POST', `${team}/kept:undelete`, {})).status, 200);
      await assert.rejects(later.secrets.rotation.begin(), { code: 'secrets_key_missing' });
      assert.equal(await rows(), before);
      masterKey = right;
      const back = await later.call('GET', `${team}/kept/versions/latest:revealValue`);
      assert.equal(back.body.value, base64('kept'), 'without a restart');
      await later.secrets.stop();
    } finally {
      await world.stop();
    }
  });

  it('is asked for again when it cannot be read, and the message says what to do', async () => {
    const file = path.join('/tmp', `haic-test-key-${randomBytes(6).toString('hex')}`);
    const keys = createKeySource({ derived: randomBytes(32), ownFile: '/nonexistent', given: { file } });
    const world = await startWith({ keys });
    try {
      const refused = await world.call('ada', 'POST', `${team}?secretId=a`, {});
      assert.deepEqual([refused.status, refused.body.code], [503, 14]);
      assert.match(refused.body.message, /key of the secrets cannot be read/);
      await writeFile(file, 'no key\n');
      assert.equal((await world.call('ada', 'POST', `${team}?secretId=a`, {})).status, 503);
      await writeFile(file, `${randomBytes(32).toString('hex')}\n`);
      assert.equal((await world.call('ada', 'POST', `${team}?secretId=a`, {})).status, 200);
      assert.ok(!world.log.join('').includes(await readFile(file, 'utf8')));
    } finally {
      await world.stop();
      await rm(file, { force: true });
    }
  });

  it('is brought by whoever runs Haic, the next one before the last, and never written by Haic', async () => {
    const [old, next] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const given = { text: old };
    const keys = createKeySource({ derived: randomBytes(32), ownFile: '/nonexistent', given });
    const world = await startWith({ keys });
    try {
      await keep(world, 'a', 'a');
      const { current } = await world.secrets.rotation.status();
      given.text = `${next}\n${old}`;
      const begun = await world.secrets.rotation.begin();
      assert.notEqual(begun.current, current);
      await fullyRotated(world);
      given.text = next;
      assert.equal((await reveal(world, 'a')).body.value, base64('a'));
    } finally {
      await world.stop();
    }
  });
});

/** Copies of the secret `first`, each with a data key of its own that wraps the same bytes. */
async function multiply(world: TestSecrets, total: number): Promise<void> {
  const { sql } = world.database;
  const vault = await createVault({ database: world.database, keys: world.keys }).unlock();
  await world.database.transaction(async (within) => {
    for (let number = 1; number < total; number++) {
      const key = await vault.newDataKey(within);
      const [secret] = await within<{ uid: string }[]>`
        insert into secrets.secrets (uid, parent, id, display_name, annotations, creator, created_at, data_key)
        values (gen_random_uuid(), 'workspaces/team', ${`copy-${number}`}, '', '{}', 'users/ada', now(), ${key.id})
        returning uid`;
      if (number % 100 !== 1) continue;
      const [version] = await within<{ uid: string }[]>`
        insert into secrets.versions (uid, secret, number, creator, created_at)
        values (gen_random_uuid(), ${secret?.uid ?? ''}, 1, 'users/ada', now()) returning uid`;
      await within`
        insert into secrets.version_values (version, key, sealed)
        values (${version?.uid ?? ''}, 'value', ${key.seal('copy', `value:${version?.uid}:value`)})`;
    }
  });
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from secrets.data_keys`;
  assert.equal(row?.n, total);
}

/** Another process on the same database, as after a restart. */
async function startOn(world: TestSecrets, keys: KeySource) {
  const logger = createLogger('test', 'silent');
  const { database, workspaces, audit } = world;
  const secrets = createSecrets({
    ...{ database, keys, workspaces, audit, logger },
    ...{ publicUrl: 'http://localhost:1', verifyToken: verifyTestToken, isGone: async () => false },
    identity: testIdentity,
  });
  const server = createHttpServer({ logger, verifyToken: verifyTestToken });
  await mountGateway(server, { prefix: '', services: secrets.services, deed: 'use secrets', logger });
  return {
    secrets,
    call: async (method: string, at: string, body?: unknown) => {
      const answer = await server.inject({
        method: method as 'GET',
        url: `/v1/${at}`,
        headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: answer.json() };
    },
  };
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
