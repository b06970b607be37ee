import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { Database } from '@haic/platform/database/port.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { type ApiInstance, callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { bundleSample, execute, type Haic, placeForHaic, startHaic } from '../support/haic.ts';
import { askApp, eventually, importApp, instanceHost, platformProcess, processesOf } from './support.ts';

const cli = path.join(import.meta.dirname, '../../apps/cli/main.ts');
const keeper = await readFile(path.join(import.meta.dirname, 'keeper_app.py'), 'utf8');
const passphrase = 'nine lives of a cat';

interface ApiApp {
  readonly id: string;
  readonly name: string;
  readonly title: string;
}

interface ApiWorkspace {
  readonly workspace?: { readonly name: string; readonly displayName: string; readonly role: string };
}

/** Makes a workspace that Bob edits; returns its name. */
async function shareWorkspace(haic: Haic, token: string): Promise<string> {
  const made = await callApi<ApiWorkspace>(haic, token, 'POST', '/authz/v1/workspaces', {
    displayName: 'Fraud',
  });
  const name = made.body.workspace?.name ?? '';
  const found = await callApi<{ users: { name: string }[] }>(
    haic,
    token,
    'GET',
    '/authz/v1/users?filter=bob',
  );
  const member = { member: found.body.users[0]?.name, role: 'ROLE_EDITOR' };
  const added = await callApi(haic, token, 'POST', `/authz/v1/${name}/members`, member);
  assert.equal(added.status, 200, JSON.stringify(added.body));
  return name;
}

async function databaseOf(haic: Haic): Promise<Database> {
  const { pid } = await platformProcess(haic, 'core');
  const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
  const url = environment.find((line) => line.startsWith('HAIC_DATABASE_URL='))?.slice(18) ?? '';
  return connectPostgres({ url, applicationName: 'test' });
}

describe('backup and restore', () => {
  let source: Haic;
  let target: Haic;
  let folder: string;
  let adaPassword: string;
  let scriptToken: string;
  let cookie: Browser;
  let running: string;
  let paused: string;
  let workspace: string;
  const samples = ['hello', 'who-am-i', 'files'];
  const at = (name: string) => path.join(folder, name);

  const parts = async () => (await readdir(folder)).filter((name) => name.endsWith('.part'));

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-backups-'));
    source = await startHaic();
    target = await placeForHaic();
    adaPassword = await source.addUser('ada', { groups: ['analysts'] });
    await source.addUser('bob');
    const token = await source.accessToken('ada');
    scriptToken = (await source.run(['token', '--user', 'ada'])).trim();
    workspace = await shareWorkspace(source, token);
    for (const name of samples) await importBundle(source, token, await bundleSample(source, name));
    const runtime = ['MemoryLimit = "512Mi"', 'VolumeMount = "/data"', 'VolumeSize = "1Gi"'];
    const app = await importApp(source, token, { name: 'keeper', source: keeper, runtime });
    running = (await runApp(source, token, app)).id;
    paused = (await runApp(source, token, app)).id;
    for (const id of [running, paused]) {
      await waitForStatus(source, token, id, 'DEPLOYED');
      const kept = await askApp(source, token, id, `/keep?text=of-${id}`);
      assert.equal(kept?.status, 200, kept?.text);
    }
    const [secrets, value] = ['/secure-store/v1/workspaces%2Fdefault/secrets', { value: 'a2VwdA==' }];
    await callApi(source, token, 'POST', `${secrets}?secretId=kept`, {});
    await callApi(source, token, 'POST', `${secrets}/kept/versions`, value);
    // From now on a key wraps it that does not follow from the master key.
    await source.run(['secure-store', 'rotate-key']);
    await callApi(source, token, 'POST', `/api/v1/instances/${paused}/suspend`);
    await waitForStatus(source, token, paused, 'SUSPENDED');
    cookie = new Browser(source.port);
    await cookie.signIn(`${source.url}/login`, 'ada', adaPassword);
  });
  after(async () => {
    await source?.stop();
    await target?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a backup is made while apps run and people import: every app in it has its bundle', async () => {
    const token = await source.accessToken('bob');
    let importing = true;
    const imports = (async () => {
      for (let number = 1; importing; number += 1) {
        const id = await importApp(source, token, { name: `while${number}` });
        // Every other one goes again: its blobs must not go from under a row that the backup has read.
        if (number % 2 === 0) await callApi(source, token, 'DELETE', `/api/v1/apps/${id}`);
      }
    })();
    const said = await source.cli(['backup', at('plain')]);
    importing = false;
    await imports;
    assert.equal(said.code, 0, said.stderr);
    assert.equal(said.stdout, `${at('plain')}\n`);
    assert.match(said.stderr, /Without a passphrase: the file holds the master key/);
    const copied = Buffer.from(zstdDecompressSync(await readFile(at('plain'))));
    const read = (...names: string[]) =>
      execFileSync('tar', ['-xO', '--wildcards', ...names], { input: copied }).toString();
    const rows = read('database/rows/catalog.apps').trimEnd().split('\n');
    const bundles = [...read('blobs/*.json').matchAll(/"key":"bundles\/([0-9a-f-]+)\.wave"/g)];
    assert.ok(rows.length > samples.length);
    for (const row of rows) {
      const id = row.split('\t')[0];
      assert.ok(
        bundles.some((found) => found[1] === id),
        `app ${id} has no bundle`,
      );
    }
    assert.equal((await stat(at('plain'))).mode & 0o777, 0o600);
    assert.equal(
      (await askApp(source, token, running))?.status,
      404,
      'somebody else’s instance is not shown',
    );
    const again = await source.cli(['backup', at('plain')]);
    assert.deepEqual([again.code, /exists already/.test(again.stderr)], [1, true], again.stderr);
  });

  it('where there is no room, a backup says so and leaves nothing', {
    skip: process.getuid?.() === 0 ? false : 'mounting a small disk needs root',
  }, async () => {
    const small = at('small');
    await mkdir(small);
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'haic-test', small]);
    try {
      const refused = await source.cli(['backup', path.join(small, 'file')]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /no more room in .*small for the backup\. Nothing was left there/);
      assert.deepEqual(await readdir(small), []);
    } finally {
      await execute('umount', [small]);
    }
  });

  it('Ctrl-C ends a backup and leaves no half file', async () => {
    const database = await databaseOf(source);
    await database.transaction(async (sql) => {
      // As while a deleted app's blobs are removed: the backup waits for it, which gives the time to cancel.
      await sql`select pg_advisory_xact_lock_shared(4811014)`;
      const child = spawn(process.execPath, [cli, 'backup', at('cancelled')], {
        env: source.environment,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const said = child.stderr.toArray();
      const ended = once(child, 'close');
      await eventually(async () => ((await parts()).length > 0 ? true : undefined));
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null], String(await said));
      assert.match(String(await said), /Cancelled\. Nothing was changed\./);
    });
    await database.close();
    assert.deepEqual(await parts(), []);
    assert.equal((await readdir(folder)).includes('cancelled'), false);
  });

  it('every schema that was ever migrated is in it', async () => {
    const database = await databaseOf(source);
    const there = await database.sql<{ schema: string }[]>`
      select table_schema as schema from information_schema.tables where table_name = 'migrations' order by 1`;
    await database.close();
    const text = execFileSync('tar', ['-xO', 'database/schemas.json'], {
      input: zstdDecompressSync(await readFile(at('plain'))),
    }).toString();
    const copied = (JSON.parse(text) as { schema: string }[]).map(({ schema }) => schema);
    assert.deepEqual(
      copied,
      there.map(({ schema }) => schema),
    );
  });

  it('is refused while Haic runs, and where another Haic is', async () => {
    const refused = await source.cli(['restore', at('plain'), '--replace']);
    assert.deepEqual([refused.code, /Haic runs in .*\. Stop it first/.test(refused.stderr)], [1, true]);
    await source.run(['down']);
    const occupied = await source.cli(['restore', at('plain')]);
    assert.deepEqual([occupied.code, /already\. To put .*--replace/.test(occupied.stderr)], [1, true]);
  });

  it('a backup under a passphrase shows nothing, and Haic may be down', async () => {
    await source.run(['backup', at('secret'), '--passphrase-stdin'], { input: `${passphrase}\n` });
    assert.deepEqual(await processesOf(source), [], 'PostgreSQL was started for it and is stopped again');
    assert.ok(!(await readFile(at('secret'))).includes('master-key'));
  });

  it('what is damaged, of another passphrase or no backup is refused, and nothing is touched', async () => {
    const whole = await readFile(at('plain'));
    await writeFile(at('cut'), whole.subarray(0, whole.length - 4_000));
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(whole.length >> 1) ^ 1, whole.length >> 1);
    await writeFile(at('flipped'), flipped);
    const cases = [
      [['restore', at('cut')], /cut is damaged: it ends too early/],
      [['restore', at('flipped')], /flipped is damaged: /],
      [['restore', at('secret'), '--passphrase-stdin'], /The passphrase does not open .*secret/],
      [['restore', cli], /main\.ts is damaged: .*no backup of Haic/],
      [['restore', at('missing')], /There is no file .*missing/],
    ] as const;
    for (const [args, words] of cases) {
      const refused = await target.cli(args, { input: 'a wrong one' });
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, words);
    }
    assert.deepEqual(await readdir(target.home), ['run']);
  });

  it('where there is no room, a restore says so and leaves nothing', {
    skip: process.getuid?.() === 0 ? false : 'mounting a small disk needs root',
  }, async () => {
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=30m,mode=0711', 'haic-test', target.home]);
    try {
      const refused = await target.cli(['restore', at('plain')]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /no more room in|room for|No space left/);
      assert.deepEqual(await readdir(target.home), ['run']);
    } finally {
      await execute('umount', [target.home]);
    }
  });

  it('what is restored elsewhere is all there: people, apps, instances, volumes, secrets, at another address', async () => {
    const secret = ['restore', at('secret'), '--passphrase-stdin', '--replace'];
    const said = await target.cli(secret, { input: passphrase });
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /^Restored the Haic of \d{4}-/);
    assert.match(said.stderr, new RegExp(`was at ${source.url} and will be at ${target.url}`));
    await target.up();

    const users = await target.run(['user', 'list']);
    for (const name of ['admin', 'ada', 'bob']) assert.match(users, new RegExp(`^${name} `, 'm'));
    const browser = new Browser(target.port);
    const opened = await browser.signIn(`${target.url}/login`, 'ada', adaPassword);
    assert.equal(opened.url, `${target.url}/`);

    const token = await target.accessToken('ada');
    const { body: list } = await callApi<{ items: ApiApp[] }>(
      target,
      token,
      'GET',
      '/api/v1/apps?pageSize=100',
    );
    assert.ok(list.items.length >= samples.length + 1);
    for (const { id, name } of list.items) {
      const bundle = await fetch(`${target.url}/api/v1/apps/${id}/bundle`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const bytes = Buffer.from(await bundle.arrayBuffer());
      assert.deepEqual([bundle.status, bytes.subarray(0, 2).toString()], [200, 'PK'], name);
    }

    for (const [name, role] of [
      ['ada', 'ROLE_OWNER'],
      ['bob', 'ROLE_EDITOR'],
    ] as const) {
      const asking = await target.accessToken(name);
      const { body } = await callApi<ApiWorkspace>(target, asking, 'GET', `/authz/v1/${workspace}`);
      assert.deepEqual([body.workspace?.displayName, body.workspace?.role], ['Fraud', role]);
    }
    const kept = '/secure-store/v1/workspaces%2Fdefault%2Fsecrets%2Fkept%2Fversions%2Flatest:revealValue';
    const revealed = await callApi<{ value: string }>(target, token, 'GET', kept);
    assert.equal(revealed.body.value, 'a2VwdA==', JSON.stringify(revealed.body));

    const instance = await waitForStatus(target, token, running, 'DEPLOYED');
    assert.equal(instance.url, `http://${running}.localhost:${target.port}/`);
    assert.equal((await askApp(target, token, running, '/kept'))?.text, `of-${running}`);
    const page = await browser.open(`${instanceHost(target, running)}/kept`);
    assert.deepEqual([page.status, page.body], [200, `of-${running}`]);

    const before = await callApi<ApiInstance>(target, token, 'GET', `/api/v1/instances/${paused}`);
    assert.equal(before.body.status, 'SUSPENDED');
    await callApi(target, token, 'POST', `/api/v1/instances/${paused}/resume`);
    await waitForStatus(target, token, paused, 'DEPLOYED');
    assert.equal((await askApp(target, token, paused, '/kept'))?.text, `of-${paused}`);
  });

  it('every session is over in what was restored, and the tokens that people had made still work', async () => {
    const session = await new Browser(target.port).fetch(`${target.url}/session`, {
      headers: { cookie: cookie.cookieHeader(new URL(source.url)) },
    });
    assert.doesNotMatch(session.body, /ada/);
    const answer = await fetch(`${target.url}/auth/realms/haic/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'haic-platform',
        refresh_token: scriptToken,
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
  });
});
