import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { png } from '@haic/services/app-store/catalog/testing.ts';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { askSts, driveKeys, driveStatus } from '../support/drive.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  actors,
  corp,
  ofAccounts,
  ofApps,
  ofDrive,
  ofDrivePage,
  ofEverybody,
  ofInstances,
  ofPeople,
  ofSecrets,
  ofSecureStore,
  type Row,
} from './matrix.ts';
import {
  appTokenOf,
  operationsOf,
  probeBundle,
  probeOf,
  serviceTokenOf,
  signedIn,
  statusOf,
  webSocket,
} from './support.ts';

let haic: Haic;
const passwords: Record<string, string> = {};
const tokens: Record<string, string> = {};
/** What the names in the addresses of the table stand for. */
const ids: Record<string, string> = {};
const instanceLimit = 7;

const named = (name: string) =>
  makeZip([
    {
      name: 'app.toml',
      content: `[App]\nName = "ai.test.${name}"\nVersion = "1.0.0"\nTitle = "${name}"\n${
        name === 'managed' ? 'InstanceLifecycle = "MANAGED"\n' : ''
      }${
        name === 'link'
          ? 'InstanceLifecycle = "LINK"\n[Link]\nAddress = "https://example.com/"\n'
          : '[Runtime]\nModule = "main"\nAppMode = "python"\n'
      }`,
    },
    { name: 'main.py', content: 'import time\ntime.sleep(3600)\n' },
    { name: 'static/icon.png', content: png },
  ]);

const subjectOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub;

async function imported(name: string, visibility: string, bundle = named(name)): Promise<string> {
  const file = path.join(haic.home, `${name}.wave`);
  await writeFile(file, bundle);
  return (await importBundle(haic, tokens.olga as string, file, visibility)).id;
}

before(async () => {
  haic = await startHaic({
    HAIC_INSTANCE_LIMIT: String(instanceLimit),
    HAIC_VISITOR_INSTANCE_LIMIT: '2',
    // Who may what is asked here, one after the other and from one address: more than an address may in a minute.
    HAIC_API_REQUESTS_PER_MINUTE: '0',
  });
  for (const name of ['ada', 'olga', 'mallory', 'vera']) passwords[name] = await haic.addUser(name);
  await haic.addUser('vic', { roles: ['visitor'] });
  for (const name of ['ada', 'olga', 'mallory', 'vera', 'vic', 'admin'])
    tokens[name] = await haic.accessToken(name);
  tokens.svc = await serviceTokenOf(haic, 'haic-service-router');

  ids.hiddenApp = await imported('hidden', 'PRIVATE');
  ids.app = await imported('shared', 'ALL_USERS', await probeBundle('shared'));
  ids.publicApp = await imported('public', 'PUBLIC');
  ids.managed = await imported('managed', 'ALL_USERS');
  ids.link = await imported('link', 'ALL_USERS');

  for (const [who, secret] of [
    ['ada', { name: 'adas' }],
    ['admin', { name: 'everybodys', visibility: 'ALL_USERS' }],
    ['admin', { name: 'of-app', visibility: 'APP', parent: 'app:x' }],
  ] as const) {
    const body = { ...secret, values: { k: 'v' } };
    const { status } = await callApi(haic, tokens[who], 'POST', '/api/v1/secrets', body);
    assert.equal(status, 201, secret.name);
  }

  const make = async <T>(who: string, at: string, body: unknown): Promise<T> => {
    const answer = await callApi<T>(haic, tokens[who], 'POST', at, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  const { workspace } = await make<{ workspace: { name: string } }>('ada', '/authz/v1/workspaces', {
    displayName: 'Team',
  });
  ids.team = workspace.name;
  await make('ada', `/authz/v1/${workspace.name}/members`, {
    ...{ member: `users/${subjectOf(tokens.olga as string)}`, role: 'ROLE_VIEWER' },
  });
  const store = '/secure-store/v1';
  await make('ada', `${store}/${ids.team}/secrets?secretId=kept`, {});
  await make('ada', `${store}/${ids.team}/secrets/kept/versions`, { value: 'eA==' });
  await make('admin', `${store}/oauthClients?oauthClientId=corp`, corp);
  await make('ada', `${store}/oauthClients/corp/tokenSources?tokenSourceId=adas`, {});
  const adas = await make<{ workspace: { name: string } }>('ada', '/authz/v1/workspaces', {
    displayName: 'Hers',
  });
  ids.workspace = adas.workspace.name.replace('workspaces/', '');
  const file = { key: 'adas.txt', size: 4, modifiedAt: 1 };
  const begun = await make<{ address: { url: string } }>('ada', '/api/v1/drive/buckets/_my/uploads', file);
  assert.equal((await fetch(begun.address.url, { method: 'PUT', body: 'Ada.' })).status, 200);

  const run = async (name: string, who: string, app: string, visibility: string) => {
    ids[name] = (await runApp(haic, tokens[who] as string, ids[app] as string, visibility)).id;
  };
  await run('mine', 'ada', 'app', 'PRIVATE');
  await run('other', 'ada', 'app', 'PRIVATE');
  await run('shared', 'ada', 'app', 'ALL_USERS');
  await run('open', 'ada', 'app', 'PUBLIC');
  await run('veras', 'vera', 'app', 'PRIVATE');
  await run('admins', 'admin', 'app', 'PRIVATE');
  await run('paused', 'ada', 'app', 'PRIVATE');
  // Something runs of each of them, so that whoever may delete them is told "in use".
  for (const app of ['hiddenApp', 'publicApp', 'managed']) await run(`of ${app}`, 'olga', app, 'PRIVATE');
  for (const name of ['mine', 'other', 'shared', 'open', 'admins', 'paused'])
    await waitForStatus(haic, tokens.admin as string, ids[name] as string, 'DEPLOYED');
  await callApi(haic, tokens.ada, 'POST', `/api/v1/instances/${ids.paused}/suspend`);

  tokens.here = await appTokenOf(haic, tokens.ada as string, probeOf(haic, ids.mine as string));
  tokens.else = await appTokenOf(haic, tokens.ada as string, probeOf(haic, ids.other as string));
  tokens["adm's"] = await appTokenOf(haic, tokens.admin as string, probeOf(haic, ids.admins as string));
  await callApi(haic, tokens.admin, 'PATCH', '/api/v1/people/vera', { roles: ['visitor'] });
  tokens.vera = await haic.accessToken('vera');
});
after(() => haic?.stop());

async function tryAll(rows: readonly Row[]): Promise<void> {
  const wrong: string[] = [];
  for (const [method, route, body, ...expected] of rows) {
    assert.equal(expected.length, actors.length, `${method} ${route}`);
    const address = route.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? assert.fail(name));
    for (const [column, actor] of actors.entries()) {
      const wanted = expected[column];
      if (wanted === '-') continue;
      assert.ok(actor === 'none' || tokens[actor] !== undefined, actor);
      const status = await statusOf(haic, tokens[actor], method, address, body);
      if (status !== wanted) wrong.push(`${method} ${route} by ${actor}: ${status}, not ${wanted}`);
    }
  }
  assert.deepEqual(wrong, []);
}

/** Ada's file in her own buckets and in a workspace that she shares. */
async function prepareDrive(): Promise<void> {
  const team = await callApi<{ workspace: { name: string } }>(
    haic,
    tokens.ada,
    'POST',
    '/authz/v1/workspaces',
    { display_name: 'Shelf' },
  );
  const personal = await callApi<{ workspace: { name: string } }>(
    haic,
    tokens.ada,
    'GET',
    '/authz/v1/workspaces/default',
  );
  ids.shelf = team.body.workspace.name.replace('workspaces/', '');
  ids.personal = personal.body.workspace.name.replace('workspaces/', '');
  for (const [who, role] of [
    ['olga', 'ROLE_VIEWER'],
    ['mallory', 'ROLE_EDITOR'],
  ] as const) {
    const claims = Buffer.from((tokens[who] as string).split('.')[1] ?? '', 'base64url').toString();
    const member = { member: `users/${(JSON.parse(claims) as { sub: string }).sub}`, role };
    const { status } = await callApi(
      haic,
      tokens.ada,
      'POST',
      `/authz/v1/${team.body.workspace.name}/members`,
      member,
    );
    assert.equal(status, 200);
  }
  const keys = await driveKeys(haic, tokens.ada as string);
  for (const bucket of ['_my', ids.personal, ids.shelf])
    assert.equal(await driveStatus(haic, keys, 'PUT', `/${bucket}/adas`, 'ada'), 200);
}

async function tryDrive(): Promise<void> {
  await prepareDrive();
  const wrong: string[] = [];
  for (const [column, actor] of actors.entries()) {
    const asked = await askSts(haic, tokens[actor] ?? '');
    const keys = asked.status === 200 ? await driveKeys(haic, tokens[actor] as string) : undefined;
    for (const [method, route, body, ...expected] of ofDrive) {
      assert.equal(expected.length, actors.length, `${method} ${route}`);
      const wanted = expected[column];
      if (wanted === '-') continue;
      const address = route.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? assert.fail(name));
      const status =
        route === 'keys'
          ? asked.status
          : await driveStatus(haic, keys, method, address, body as string | undefined);
      if (status !== wanted) wrong.push(`${method} ${route} by ${actor}: ${status}, not ${wanted}`);
    }
  }
  assert.deepEqual(wrong, []);
}

describe('20 who may what: route × role × visibility × ownership', () => {
  test('the table has a row for every route that the server has', async () => {
    const operations = (await operationsOf(haic)).map(
      ({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`,
    );
    assert.ok(operations.length > 25, String(operations.length));
    const rows = [
      ...ofApps,
      ...ofInstances,
      ...ofPeople,
      ...ofSecrets,
      ...ofAccounts,
      ...ofDrivePage,
      ...ofEverybody,
    ].map(([method, route]) => `${method} ${route.replace(/\?.*/, '')}`);
    const covers = (operation: string) => {
      const parts = operation.split('{}').map((part) => part.replaceAll('.', '\\.'));
      return rows.some((row) => new RegExp(`^${parts.join('[^/]+')}$`).test(row));
    };
    assert.deepEqual(
      operations.filter((operation) => !covers(operation)),
      [],
      'a new route: decide who may, and write it into matrix.ts',
    );
  });

  test('and for every method of the secure store', async () => {
    const rows = ofSecureStore.map(([method, route]) => `${method} ${route.replace(/\?.*/, '')}`);
    const folder = path.join(import.meta.dirname, '../../services/secrets/proto/ai/h2o/securestore/v1');
    const methods: string[] = [];
    for (const file of await readdir(folder))
      for (const [, method = '', route = ''] of (await readFile(path.join(folder, file), 'utf8')).matchAll(
        /\b(get|post|patch|delete): "(\/v1\/[^"]+)"/g,
      ))
        methods.push(`${method.toUpperCase()} /secure-store${route}`);
    assert.equal(methods.length, 19);
    const covers = (method: string) => {
      // `{name=workspaces/*/secrets/*}`: a collection is named, what is in it is anything.
      const parts = method
        .replace(/\{[\w.]+=([^}]+)\}/g, '$1')
        .replaceAll('workspaces/*', '{team}')
        .split('*');
      const form = parts.map((part) => part.replace(/[.{}]/g, '\\$&')).join('[^/:]+');
      return rows.some((row) => new RegExp(`^${form}$`).test(row));
    };
    assert.deepEqual(
      methods.filter((method) => !covers(method)),
      [],
    );
  });

  test('of apps', () => tryAll(ofApps));
  test('of instances', () => tryAll(ofInstances));
  test('of people, sessions and tokens', () => tryAll(ofPeople));
  test('of secrets', () => tryAll(ofSecrets));
  test('of connected accounts and OAuth clients', () => tryAll(ofAccounts));
  test('of the secure store', () => tryAll(ofSecureStore));
  test('of Drive', () => tryDrive());
  test('of the page of Drive', () => tryAll(ofDrivePage));
  test('of what is for everybody', () => tryAll(ofEverybody));

  test('what is granted there and changes something, is granted', async () => {
    const wrong: string[] = [];
    const expect = async (status: number, actor: string, method: string, route: string, body?: unknown) => {
      const answer = await callApi<{ id: string }>(haic, tokens[actor], method, route, body);
      if (answer.status !== status)
        wrong.push(`${method} ${route} by ${actor}: ${answer.status}, not ${status}`);
      return answer.body?.id;
    };
    const run = async (actor: string, app: string) =>
      (await expect(201, actor, 'POST', `/api/v1/apps/${ids[app]}/instances`, {})) ?? '';
    for (const [actor, app] of [
      ['ada', 'app'],
      ['olga', 'app'],
      ['mallory', 'app'],
      ['admin', 'app'],
      ['ada', 'publicApp'],
      ['mallory', 'publicApp'],
      ['olga', 'hiddenApp'],
      ['olga', 'managed'],
      ['admin', 'managed'],
    ] as const)
      await expect(204, actor, 'DELETE', `/api/v1/instances/${await run(actor, app)}`);
    // An administrator ends, pauses and wakes what is another's.
    const foreign = await run('mallory', 'app');
    await waitForStatus(haic, tokens.mallory as string, foreign, 'DEPLOYED');
    await expect(200, 'admin', 'POST', `/api/v1/instances/${foreign}/suspend`);
    await waitForStatus(haic, tokens.mallory as string, foreign, 'SUSPENDED');
    await until(
      async () => {
        const { status } = await callApi(haic, tokens.admin, 'POST', `/api/v1/instances/${foreign}/resume`);
        return status === 200 ? true : undefined;
      },
      { everyMs: 200, signal: deadline(20_000) },
    );
    await expect(204, 'admin', 'DELETE', `/api/v1/instances/${foreign}`);
    // So do owners with their apps, and administrators with everybody's.
    for (const actor of ['olga', 'admin']) {
      const app = await imported(`deleted-by-${actor}`, 'ALL_USERS');
      await expect(204, actor, 'DELETE', `/api/v1/apps/${app}`);
    }
    await haic.addUser('leaving');
    await expect(204, 'admin', 'DELETE', '/api/v1/people/leaving');
    await expect(201, 'admin', 'POST', '/api/v1/people', { username: 'coming', roles: ['user'] });
    assert.deepEqual(wrong, []);
  });

  test('twenty runs at once never pass the limit, whatever it is', async () => {
    const route = `/api/v1/apps/${ids.app}/instances`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => callApi<{ id: string }>(haic, tokens.mallory, 'POST', route, {})),
    );
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    assert.deepEqual([count(201), count(409)], [instanceLimit, 20 - instanceLimit]);
    const own = await callApi<{ items: unknown[] }>(haic, tokens.mallory, 'GET', '/api/v1/instances');
    assert.equal(own.body.items.length, instanceLimit);
    for (const { status, body } of answers)
      if (status === 201) await callApi(haic, tokens.mallory, 'DELETE', `/api/v1/instances/${body.id}`);
  });
});

describe('20 the pages of a PRIVATE instance are its owner’s alone', () => {
  // A token is good for five minutes, and the table is long.
  before(async () => {
    for (const name of ['ada', 'olga', 'mallory', 'admin', 'vera'])
      tokens[name] = await haic.accessToken(name);
  });
  const hosts = () => ['mine', 'paused', 'starting'].map((name) => probeOf(haic, ids[name] as string));

  test('neither administrators nor the owner of the app open one, whatever its status: by browser, by token, by WebSocket', async () => {
    // Never ready: what is shown at its address is the launcher's page, with its log.
    const { id } = await runApp(haic, tokens.ada as string, ids.publicApp as string);
    ids.starting = id;
    const admin = await signedIn(haic, 'admin', haic.admin.password);
    const olga = await signedIn(haic, 'olga', passwords.olga as string);
    const missing = probeOf(haic, '00000000-0000-4000-8000-000000000000');
    for (const [who, browser] of Object.entries({ admin, olga })) {
      for (const probe of [...hosts(), missing]) {
        for (const address of ['/', '/status', '/live', '/_s/']) {
          const page = await browser.open(`${probe.origin}${address}`);
          assert.equal(page.status, 404, `${who} ${address}`);
          assert.doesNotMatch(page.body, /Security probe|public|paused|Starting|Log/, `${who} ${address}`);
        }
        assert.equal(browser.cookie(`${probe.id}.localhost`, 'haic_session'), undefined, 'no session there');
        const cookie = browser.cookieHeader(new URL(haic.url));
        for (const headers of [
          { origin: probe.origin, cookie },
          { headers: { authorization: `Bearer ${tokens[who]}` } },
        ]) {
          const { refused } = await webSocket(haic, probe, headers);
          assert.ok(refused === 401 || refused === 404, `${who}: ${refused}`);
        }
      }
    }
    assert.equal(await statusOf(haic, tokens.ada, 'GET', `/instance/${id}/`), 503, 'its owner is told');
    await callApi(haic, tokens.ada, 'DELETE', `/api/v1/instances/${id}`);
  });

  test('a session that was opened while it was shared ends when it becomes PRIVATE: WebSocket and next request', async () => {
    const probe = probeOf(haic, ids.shared as string);
    const admin = await signedIn(haic, 'admin', haic.admin.password);
    await admin.open(`${probe.origin}/`);
    const cookie = admin.cookieHeader(new URL(probe.origin));
    const open = await webSocket(haic, probe, { origin: probe.origin, cookie });
    assert.equal(open.refused, undefined);
    const closed = once(open.socket, 'close', { signal: AbortSignal.timeout(15_000) });
    await callApi(haic, tokens.ada, 'PATCH', `/api/v1/instances/${probe.id}`, { visibility: 'PRIVATE' });
    await closed;
    assert.equal((await admin.fetch(`${probe.origin}/`)).status, 404);
    assert.equal(await statusOf(haic, tokens.mallory, 'GET', `/api/v1/instances/${probe.id}`), 404);
    await callApi(haic, tokens.ada, 'PATCH', `/api/v1/instances/${probe.id}`, { visibility: 'ALL_USERS' });
    await until(async () => ((await admin.fetch(`${probe.origin}/`)).status === 200 ? true : undefined), {
      everyMs: 50,
      signal: deadline(5000),
    });
  });

  test('who becomes a visitor loses what is shared with all users, also what is open', async () => {
    const password = await haic.addUser('wanda');
    const probe = probeOf(haic, ids.shared as string);
    const wanda = await signedIn(haic, 'wanda', password);
    await wanda.open(`${probe.origin}/`);
    const cookie = wanda.cookieHeader(new URL(probe.origin));
    const open = await webSocket(haic, probe, { origin: probe.origin, cookie });
    assert.equal(open.refused, undefined);
    const closed = once(open.socket, 'close', { signal: AbortSignal.timeout(15_000) });
    await callApi(haic, tokens.admin, 'PATCH', '/api/v1/people/wanda', { roles: ['visitor'] });
    await closed;
    const again = await wanda.fetch(`${probe.origin}/`, { headers: { accept: '*/*' } });
    assert.ok(again.status >= 400, String(again.status));
  });
});
