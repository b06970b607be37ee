import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { installationAt, readSecrets, secureStoreKeyFile } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { usualPostgresPort, withDatabase } from '../../apps/cli/installation/database.ts';
import { type ApiInstance, callApi, instanceLog, runApp, waitForStatus } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { eventually, importApp, killHard, kills, platformProcess, restarted } from './support.ts';

/** How long nobody takes what the services tell. */
const awaySeconds = process.env.HAIC_TEST_SIZE === 'full' ? 60 : 10;

const wantsSecret = [
  ...['MemoryLimit = "512Mi"', '[[Env]]', 'Name = "DB_PASSWORD"', 'Secret = "db"', 'SecretKey = "password"'],
];
const source = `
import http.server, os
assert os.environ['DB_PASSWORD'] == 'of the app'
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()
`;

interface Refusal {
  readonly code: string | number;
  readonly detail?: string;
  readonly message?: string;
}

/** Its PostgreSQL is not where every other Haic would have its own: what starts beside this one cannot be there when it comes back. */
async function besideUsualPort<T>(start: () => Promise<T>): Promise<T> {
  const squatter = createServer().listen(usualPostgresPort, '127.0.0.1');
  await once(squatter, 'listening').catch(() => undefined);
  try {
    return await start();
  } finally {
    squatter.close();
  }
}

describe('the secure store of a whole platform, and what breaks under it', () => {
  let haic: Haic;
  let token: string;
  before(async () => {
    haic = await besideUsualPort(startHaic);
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
  });
  after(() => haic?.stop());

  const api = <T = unknown>(method: string, at: string, body?: unknown) =>
    callApi<T>(haic, token, method, at, body);
  const keep = (name: string, values: Record<string, string>) =>
    api<Refusal>('POST', '/api/v1/secrets', { name, values });
  const valuesOf = async (name: string) =>
    (await api<{ values: Record<string, string> }>('POST', `/api/v1/secrets/${name}/reveal`)).body.values;
  const inStore = (method: string, at: string, body?: unknown) =>
    api<Refusal & { secretVersion?: { name: string }; value?: string }>(
      method,
      `/secure-store/v1/workspaces%2Fdefault${at}`,
      body,
    );
  const inDatabase = (work: (sql: ReturnType<typeof connectPostgres>['sql']) => Promise<void>) =>
    withDatabase(
      installationAt(haic.home, ''),
      readSettings({ ...process.env, HAIC_HOME: haic.home }),
      async (url) => {
        const { sql, close } = connectPostgres({ url, applicationName: 'test', maxConnections: 1 });
        await work(sql).finally(close);
      },
    );

  it('what was acknowledged is kept, and nothing is kept by half, whenever core is killed', async () => {
    const made = new Map<string, string>();
    const tried = new Set<string>();
    const replaced: { was: string; last: string } = { was: 'first', last: 'first' };
    assert.equal((await keep('replaced', { k: 'first', twin: 'first' })).status, 201);
    let stopped = false;
    const creating = async (): Promise<void> => {
      while (!stopped) {
        const value = randomBytes(8).toString('hex');
        const name = `s${value}`;
        tried.add(name);
        const answer = await keep(name, { k: value, twin: value }).catch(() => undefined);
        if (answer?.status === 201) made.set(name, value);
        else await sleep(50);
      }
    };
    const replacing = async (): Promise<void> => {
      while (!stopped) {
        const value = randomBytes(8).toString('hex');
        replaced.last = value;
        const answer = await api('PUT', '/api/v1/secrets/replaced', {
          values: { k: value, twin: value },
        }).catch(() => undefined);
        if (answer?.status === 200) replaced.was = value;
        else await sleep(50);
      }
    };
    const working = Promise.all([creating(), creating(), replacing()]);
    for (let n = 0; n < kills / 4; n += 1) {
      const count = made.size;
      const was = replaced.was;
      await eventually(() => (made.size > count + 2 && replaced.was !== was ? true : undefined));
      await sleep(Math.random() * 150);
      await killHard(haic, ['core']);
    }
    stopped = true;
    await working;
    await eventually(async () => ((await api('GET', '/api/v1/secrets')).status === 200 ? true : undefined));
    for (const [name, value] of made) assert.deepEqual(await valuesOf(name), { k: value, twin: value }, name);
    // Those that nobody heard of are whole or not there.
    for (const name of tried) {
      if (made.has(name)) continue;
      const shown = await api<{ values: Record<string, string> }>('POST', `/api/v1/secrets/${name}/reveal`);
      if (shown.status === 404) continue;
      const value = name.slice(1);
      assert.deepEqual([shown.status, shown.body.values], [200, { k: value, twin: value }], name);
    }
    // Written one after the other, so that it is the last one that was acknowledged or one that was tried since.
    const { k, twin } = await valuesOf('replaced');
    assert.equal(k, twin);
    assert.ok(k === replaced.was || k === replaced.last);
    await inDatabase(async (sql) => {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from secrets.versions v
        where not exists (select from secrets.version_values w where w.version = v.uid)`;
      assert.equal(row?.n, 0, 'a version without its value');
    });
  });

  it('the database stopped and started: a clear refusal meanwhile, and the same process serves again by itself', async () => {
    assert.equal((await inStore('POST', '/secrets?secretId=steady', {})).status, 200);
    assert.equal((await inStore('POST', '/secrets/steady/versions', { value: btoa('steady') })).status, 200);
    const core = await platformProcess(haic, 'core');
    const pidFile = path.join(haic.home, 'postgres/data/postmaster.pid');
    const [pid, , , port] = (await readFile(pidFile, 'utf8')).split('\n').map(Number);
    process.kill(pid as number, 'SIGINT');
    await eventually(async () =>
      (await readFile(pidFile, 'utf8').catch(() => undefined)) === undefined ? true : undefined,
    );
    for (const answer of [
      await inStore('GET', '/secrets/steady/versions/latest:revealValue'),
      await inStore('POST', '/secrets?secretId=lost', {}),
    ]) {
      assert.deepEqual([answer.status, answer.body.code], [503, 14], JSON.stringify(answer.body));
      assert.match(answer.body.message ?? '', /database of Haic cannot be reached/);
    }
    const refused = await keep('lost', { k: 'v' });
    assert.deepEqual([refused.status, refused.body.code], [503, 'database_unavailable']);
    const at = installationAt(haic.home, haic.environment.HAIC_CACHE ?? '');
    // By itself, and not by `up`, which starts what is not well.
    await startEmbeddedPostgres({
      ...{ cacheDirectory: at.cache, dataDirectory: at.postgresData, preferredPort: port as number },
      ...{ logFile: path.join(at.logs, 'postgres.log'), password: (await readSecrets(at)).postgresPassword },
      signal: AbortSignal.timeout(60_000),
    });
    const shown = await eventually(async () => {
      const answer = await inStore('GET', '/secrets/steady/versions/latest:revealValue');
      return answer.status === 200 ? answer : undefined;
    });
    assert.equal(shown.body.value, btoa('steady'));
    assert.deepEqual(await platformProcess(haic, 'core'), core);
    assert.equal((await keep('lost', { k: 'v' })).status, 201, 'what was refused had not been kept');
  });

  it(`the trail away for ${awaySeconds} seconds while services write: nothing is lost`, async () => {
    const resources: string[] = [];
    await inDatabase((sql) => sql`alter table audit.events rename to events_away`.then(() => undefined));
    const until = Date.now() + awaySeconds * 1000;
    for (let n = 0; Date.now() < until; n += 1) {
      const answer = await inStore('POST', '/secrets/steady/versions', { value: btoa(`value ${n}`) });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      resources.push(`//secure-store/${answer.body.secretVersion?.name}`);
      const reveal = await inStore('GET', '/secrets/steady/versions/latest:revealValue');
      assert.equal(reveal.body.value, btoa(`value ${n}`), 'read as ever: it is durable that it was');
      await sleep(100);
    }
    assert.ok(resources.length > 5, String(resources.length));
    await inDatabase((sql) => sql`alter table audit.events_away rename to events`.then(() => undefined));
    await eventually(async () => {
      const told = (await haic.run(['audit', 'export', '--action', 'securestore/versions/']))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { action: string; resource: string });
      const count = (verb: string, resource: string) =>
        told.filter((event) => event.action.endsWith(`/${verb}`) && event.resource === resource).length;
      return resources.every((one) => count('CREATE', one) === 1 && count('REVEALVALUE', one) === 1)
        ? true
        : undefined;
    });
    const { code, stdout } = await haic.cli(['audit', 'verify', '--json']);
    assert.deepEqual([code, (JSON.parse(stdout) as { whole: boolean }).whole], [0, true]);
  });

  it('a master key that is lost or wrong when an app starts: clear words, nothing overwritten, and the app runs when it is back', async () => {
    assert.equal((await keep('db', { password: 'of the app' })).status, 201);
    const appId = await importApp(haic, token, { source, runtime: wantsSecret });
    // From here on the key of the secrets is one of its own, which can be lost while everything else goes on.
    await haic.run(['secure-store', 'rotate-key']);
    const file = secureStoreKeyFile(installationAt(haic.home, ''));
    const right = await readFile(file);
    const aside = `${file}.aside`;
    await rename(file, aside);
    const restart = async () => {
      const core = await platformProcess(haic, 'core');
      await killHard(haic, ['core']);
      await restarted(haic, 'core', core);
      await eventually(async () => ((await api('GET', '/api/v1/apps')).status === 200 ? true : undefined));
    };
    await restart();
    const { id } = await runApp(haic, token, appId);
    const saying = () =>
      eventually(async () => {
        const { body } = await api<ApiInstance>('GET', `/api/v1/instances/${id}`);
        assert.notEqual(body.status, 'DEPLOYED');
        return /sealed under the key [0-9a-f]{16}, which Haic does not have/.test(body.message)
          ? body
          : undefined;
      });
    await saying();
    assert.match(
      await instanceLog(haic, token, id),
      /The secrets of the app could not be had .*Trying again/,
    );

    const wrong = `${randomBytes(32).toString('hex')}\n`;
    await writeFile(file, wrong, { mode: 0o600 });
    await restart();
    await saying();
    for (const answer of [
      await keep('new', { k: 'v' }),
      await api<Refusal>('POST', '/api/v1/secrets/db/reveal'),
    ])
      assert.deepEqual([answer.status, answer.body.code], [503, 'secrets_key_missing']);
    const rotated = await haic.cli(['secure-store', 'rotate-key']);
    assert.deepEqual(
      [rotated.code, /which Haic does not have/.test(rotated.stderr)],
      [1, true],
      rotated.stderr,
    );
    assert.equal(await readFile(file, 'utf8'), wrong, 'nothing was written over what is there');

    await rm(file);
    await rename(aside, file);
    assert.deepEqual(await readFile(file), right);
    await waitForStatus(haic, token, id, 'DEPLOYED');
    assert.deepEqual(await valuesOf('db'), { password: 'of the app' });
  });
});
