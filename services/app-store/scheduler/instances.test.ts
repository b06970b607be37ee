import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import { conflict, forbidden, unavailable } from '@haic/kit/errors.ts';
import { workloadNameOf } from './model.ts';
import type { presentInstance } from './present.ts';
import { appId, exampleApp, exampleIdentity, people, startTestScheduler, viaApp } from './testing.ts';

type Json = ReturnType<typeof presentInstance>;
const { owner, other, author, admin, visitor } = people;
const json = async <T>(response: Promise<Response>): Promise<T> => (await (await response).json()) as T;
const run = `/api/v1/apps/${appId}/instances`;

test('running an app registers a client, applies a workload and answers with the instance', async () => {
  await using t = await startTestScheduler();
  const response = await t.as(owner, run, { method: 'POST', json: { visibility: 'ALL_USERS' } });
  assert.equal(response.status, 201);
  const instance = (await response.json()) as Json;
  assert.equal(response.headers.get('location'), `/api/v1/instances/${instance.id}`);
  assert.deepEqual(
    [instance.status, instance.visibility, instance.owner, instance.url],
    [
      'PENDING',
      'ALL_USERS',
      { subject: owner.subject, username: 'owner' },
      `http://${instance.id}.localhost:8080/`,
    ],
  );
  assert.match(instance.app.icon ?? '', /icon\.png$/);
  assert.deepEqual([instance.canManage, instance.canOpen, instance.canReadLogs], [true, true, true]);
  assert.equal(t.identity.clients.get(instance.id)?.redirectUri, `${instance.url}_auth/callback`);
  assert.equal(t.runtime.specOf(workloadNameOf(instance.id))?.labels['haic.io/app'], appId);
});

test('an app is run without a body, too, and is then PRIVATE', async () => {
  await using t = await startTestScheduler();
  const response = await t.as(owner, run, { method: 'POST' });
  assert.equal(response.status, 201);
  assert.equal(((await response.json()) as Json).visibility, 'PRIVATE');
});

test('running an app again under the same Idempotency-Key starts nothing more', async () => {
  await using t = await startTestScheduler();
  const ask = (visibility: string, key: string) =>
    t.as(owner, run, { method: 'POST', json: { visibility }, headers: { 'idempotency-key': key } });
  const [first, second] = [await ask('PRIVATE', 'k1'), await ask('PRIVATE', 'k1')];
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
  assert.deepEqual(await second.json(), await first.json());
  assert.equal((await ask('ALL_USERS', 'k1')).status, 422);
  assert.equal((await t.runtime.list({})).length, 1);
  assert.equal((await ask('PRIVATE', 'k2')).status, 201);
  assert.equal((await t.runtime.list({})).length, 2);
});

test('when the runtime refuses, its reason is told in its words, and nothing stays behind', async () => {
  await using t = await startTestScheduler();
  for (const error of [
    conflict('workload_conflict', 'Port 8501 is in use.'),
    forbidden('quota_exceeded', 'The quota "small" is used up.'),
    unavailable('runtime_unavailable', 'The Kubernetes API server cannot be reached. What runs goes on.'),
  ]) {
    t.runtime.failNext('apply', error);
    const response = await t.as(owner, run, { method: 'POST', json: {} });
    assert.equal(response.status, error.status);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    assert.deepEqual([code, detail], [error.code, error.message]);
    assert.equal(t.identity.clients.size, 0);
    assert.deepEqual(await t.runtime.list({}), []);
  }
});

test('why an instance waits is told in the words of the runtime', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  for (const [phase, reason, status] of [
    ['Pending', 'ImagePullBackOff', 'PENDING'],
    ['Pending', 'QuotaExceeded', 'PENDING'],
    ['Pending', 'VolumePending', 'PENDING'],
    ['Pending', 'Unschedulable', 'PENDING'],
    ['Running', 'NodeLost', 'STARTING'],
  ] as const) {
    const message = `In words: ${reason}.`;
    t.runtime.become(workloadNameOf(id), { phase, reason, message });
    const told = await json<Record<string, unknown>>(t.as(owner, `/api/v1/instances/${id}`));
    assert.deepEqual([told.status, told.reason, told.message], [status, reason, message]);
  }
});

test('when the sign-in service is away, nothing is started, and what runs goes on', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  t.identity.down = new Error('the database is away');
  assert.equal((await t.as(owner, run, { method: 'POST', json: {} })).status, 500);
  assert.equal((await t.runtime.list({})).length, 1);
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`)).status, 200);
});

test('a required secret, a managed app and a link are refused with the reason', async () => {
  const secret = { kind: 'secret', secret: 'db', key: 'password', optional: false } as const;
  await using t = await startTestScheduler();
  const attempt = (who: typeof owner) =>
    json<{ code: string; detail: string }>(t.as(who, run, { method: 'POST', json: {} }));

  t.apps.set(appId, exampleApp({ manifest: { env: [{ name: 'PASSWORD', from: secret }] } }));
  const refused = await attempt(owner);
  assert.equal(refused.code, 'secret_unavailable');
  assert.match(
    refused.detail,
    /For the variable PASSWORD: There is no key "password" of a secret "db"\. Create it/,
  );
  t.secrets.down = unavailable('secure_store_unavailable', 'Not just now.');
  assert.equal((await attempt(owner)).code, 'secure_store_unavailable');
  t.secrets.down = undefined;

  t.apps.set(appId, exampleApp({ manifest: { lifecycle: 'MANAGED' } }));
  assert.equal((await attempt(owner)).code, 'app_not_runnable');
  assert.equal((await t.as(author, run, { method: 'POST', json: {} })).status, 201);
  assert.equal((await t.as(admin, run, { method: 'POST', json: {} })).status, 201);

  t.apps.set(appId, exampleApp({ manifest: { lifecycle: 'LINK', linkAddress: 'https://h2o.example' } }));
  assert.match((await attempt(author)).detail, /is a link/);
  assert.equal(t.identity.clients.size, 2);
});

test('an app that one may not see, or that does not exist, is not found', async () => {
  await using t = await startTestScheduler({ app: exampleApp({ visibility: 'PRIVATE' }) });
  assert.equal((await t.as(owner, run, { method: 'POST', json: {} })).status, 404);
  const nothing = '/api/v1/apps/99999999-9999-4999-8999-999999999999/instances';
  assert.equal((await t.as(owner, nothing, { method: 'POST', json: {} })).status, 404);
});

test('visitors have a limit of their own', async () => {
  const { subject, username } = visitor;
  // The one app that a visitor can run as long as no tag opens others to them: their own, from when they had more rights.
  const app = exampleApp({ owner: { subject, username } });
  await using t = await startTestScheduler({ app, limits: { fullAccess: 3, visitor: 1 } });
  const ask = () => t.as(visitor, run, { method: 'POST', json: {} });
  assert.equal((await ask()).status, 201);
  const refused = await json<{ code: string }>(ask());
  assert.equal(refused.code, 'instance_limit_reached');
});

test('nobody passes the limit of instances, not even with ten clicks at once', async () => {
  await using t = await startTestScheduler({ limits: { fullAccess: 3 } });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => t.as(owner, run, { method: 'POST', json: {} })),
  );
  const created = answers.filter((answer) => answer.status === 201).length;
  assert.ok(created <= 3, `${created} were created`);
  while ((await t.as(owner, run, { method: 'POST', json: {} })).status === 201);
  assert.equal((await t.runtime.list({})).length, 3);
  const refused = await json<{ code: string }>(t.as(owner, run, { method: 'POST', json: {} }));
  assert.equal(refused.code, 'instance_limit_reached');
  assert.equal(
    (await t.as(other, run, { method: 'POST', json: {} })).status,
    201,
    'others are not concerned',
  );
});

test('terminating removes the workload with its data, then the client', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
  assert.equal(await t.runtime.get(workloadNameOf(id)), undefined);
  assert.equal(t.identity.clients.size, 0);
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 404);
});

test('terminating succeeds while the sign-in service is away; the client is swept later', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  t.identity.down = new Error('away');
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
  t.identity.down = undefined;
  assert.equal(t.identity.clients.size, 1);
  await t.scheduler.reconcile();
  assert.equal(t.identity.clients.size, 0);
});

test('the sweep ends clients of instances that are gone, and touches no other', async () => {
  await using t = await startTestScheduler();
  const [kept, gone] = [await t.run(owner), await t.run(owner)];
  const secret = t.identity.clients.get(kept)?.secret;
  await t.runtime.remove(workloadNameOf(gone), { volumes: 'delete', signal: AbortSignal.timeout(1000) });
  await t.scheduler.reconcile();
  assert.deepEqual([...t.identity.clients.keys()], [kept]);
  assert.equal(t.identity.clients.get(kept)?.secret, secret, 'nothing is registered anew');
});

test('a sweep that fails at the start, because others are not there yet, is soon made again', async () => {
  const identity = exampleIdentity();
  const client = {
    appId,
    instanceId: 'gone',
    name: 'gone',
    redirectUri: 'http://a',
    postLogoutRedirectUri: 'http://a',
  };
  await identity.registerAppClient(client);
  identity.down = new Error('away');
  await using _ = await startTestScheduler({
    identity,
    intervals: { sweepMs: 3_600_000, sweepAgainMs: 5 },
  });
  identity.down = undefined;
  const swept = async () => (identity.clients.size === 0 ? true : undefined);
  await until(swept, { everyMs: 5, signal: AbortSignal.timeout(10_000) });
});

test('where others start instances, too, one has to be missing for longer than a start takes', async () => {
  let now = Date.now();
  await using t = await startTestScheduler({ othersStart: true, now: () => now });
  const id = await t.run(owner);
  await t.runtime.remove(workloadNameOf(id), { volumes: 'delete', signal: AbortSignal.timeout(1000) });
  await t.scheduler.reconcile();
  now += 5 * 60_000;
  await t.scheduler.reconcile();
  assert.equal(t.identity.clients.size, 1);
  now += 2 * 60_000;
  await t.scheduler.reconcile();
  assert.equal(t.identity.clients.size, 0);
});

test('one’s own instances are listed newest first, in pages, and found by a word', async () => {
  await using t = await startTestScheduler();
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.push(await t.run(owner));
  await t.run(other);
  type Page = { items: Json[]; nextPageToken?: string };
  const seen: string[] = [];
  let token = '';
  do {
    const page = await json<Page>(
      t.as(owner, `/api/v1/instances?pageSize=2${token && `&pageToken=${token}`}`),
    );
    seen.push(...page.items.map((item) => item.id));
    token = page.nextPageToken ?? '';
  } while (token !== '');
  assert.equal(seen.length, 5);
  assert.deepEqual(new Set(seen), new Set(ids));
  const times = (await json<Page>(t.as(owner, '/api/v1/instances'))).items.map((item) => item.createdAt);
  assert.deepEqual(times, times.toSorted().reverse());
  assert.equal((await json<Page>(t.as(owner, '/api/v1/instances?query=HELL'))).items.length, 5);
  assert.equal((await json<Page>(t.as(owner, '/api/v1/instances?query=nothing'))).items.length, 0);
  assert.equal((await json<Page>(t.as(owner, `/api/v1/instances?appId=${ids[0]}`))).items.length, 0);
});

test('`all` lists what one may see: shared ones for users, every one for administrators, own ones for visitors', async () => {
  await using t = await startTestScheduler();
  const hidden = await t.run(owner);
  const shared = await t.run(owner, { visibility: 'ALL_USERS' });
  const list = async (who: typeof owner) =>
    (await json<{ items: Json[] }>(t.as(who, '/api/v1/instances?all=true'))).items
      .map((i) => i.id)
      .toSorted();
  assert.deepEqual(await list(other), [shared]);
  assert.deepEqual(await list(admin), [hidden, shared].toSorted());
  assert.deepEqual(await list(author), [hidden, shared].toSorted(), 'the owner of the app sees them all');
  assert.deepEqual(await list(visitor), []);
  assert.deepEqual(await list(viaApp(owner, hidden)), [hidden], 'an app sees itself alone');
});

test('the list outlives the catalog, only without pictures', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  t.apps.clear();
  const instance = await json<Json>(t.as(owner, `/api/v1/instances/${id}`));
  assert.deepEqual([instance.app.title, instance.app.icon], ['Hello', null]);
});

test('a crash is told with its exit code, in the instance and in the pod’s view', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  t.runtime.become(workloadNameOf(id), {
    phase: 'BackOff',
    reason: 'CrashLoopBackOff',
    restartCount: 4,
    lastTermination: {
      exitCode: 1,
      signal: undefined,
      reason: 'Error',
      message: '',
      finishedAt: new Date().toISOString(),
    },
  });
  const instance = await json<Json>(t.as(owner, `/api/v1/instances/${id}`));
  assert.deepEqual(
    [instance.status, instance.restartCount, instance.lastFailure?.exitCode],
    ['FAILED', 4, 1],
  );
  const status = await json<Record<string, unknown>>(t.as(owner, `/api/v1/instances/${id}/status`));
  assert.deepEqual([status.status, status.exitCode, status.restartCount], ['CrashLoopBackOff', 1, 4]);
});

test('how many instances an app has is known from the moment one is being started', async () => {
  await using t = await startTestScheduler();
  assert.equal(await t.scheduler.instancesOf(appId), 0);
  const running = t.run(owner);
  await running;
  assert.equal(await t.scheduler.instancesOf(appId), 1);
  assert.equal(await t.scheduler.instancesOf('another-app'), 0);
});

test('the page about oneself names the roles, the isolation and the addresses that clients need', async () => {
  await using t = await startTestScheduler();
  const me = await json<Record<string, Record<string, unknown>>>(t.as(admin, '/api/v1/me'));
  assert.deepEqual([me.username, me.isAdmin, me.fullAccess], ['admin', true, true]);
  assert.equal(me.isolation?.kind, 'fake');
  assert.deepEqual(me.environment, {
    publicUrl: 'http://localhost:8080',
    issuerUrl: 'http://localhost:8080/auth/realms/haic',
    platformClientId: 'haic-platform',
    cliClientId: 'haic-cli',
    tokenEndpoint: 'http://localhost:8080/auth/realms/haic/protocol/openid-connect/token',
  });
  const guest = await json<Record<string, unknown>>(t.as(visitor, '/api/v1/me'));
  assert.deepEqual([guest.isAdmin, guest.fullAccess], [false, false]);
});
