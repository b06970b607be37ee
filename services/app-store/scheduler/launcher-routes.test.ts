import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeRuntime } from '@haic/platform/runtime/fake.ts';
import { workloadNameOf } from './model.ts';
import { instanceKey, sign } from './signature.ts';
import { masterKey, people, startTestScheduler, type TestScheduler } from './testing.ts';

const { owner } = people;
const now = () => Math.floor(Date.now() / 1000);
const pathOf = (id: string, what: string) => `/api/launcher/v1/instances/${id}/${what}`;

/** Calls as the launcher does; everything that is signed can be made to differ from what is sent. */
function call(
  t: TestScheduler,
  id: string,
  what: 'bundle' | 'token',
  changes: {
    key?: Buffer;
    path?: string;
    method?: string;
    timestamp?: string | number;
    headers?: Record<string, string>;
  } = {},
): Promise<Response> {
  const method = what === 'token' ? 'POST' : 'GET';
  const timestamp = String(changes.timestamp ?? now());
  const signature = sign(changes.key ?? instanceKey(masterKey, id), {
    method: changes.method ?? method,
    path: changes.path ?? pathOf(id, what),
    timestamp,
  });
  const headers = { 'x-haic-timestamp': timestamp, 'x-haic-signature': signature, ...changes.headers };
  return t.as(undefined, pathOf(id, what), { method, headers });
}

async function running(t: TestScheduler & { runtime: FakeRuntime }, visibility = 'PRIVATE'): Promise<string> {
  const id = await t.run(owner, { visibility });
  t.runtime.become(workloadNameOf(id), { phase: 'Running', startedAt: new Date().toISOString() });
  return id;
}

test('an instance downloads the bundle of its app with its own key', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  const response = await call(t, id, 'bundle');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/zip');
  assert.equal(await response.text(), 'PK the bundle');
});

test('a forged, old, foreign or replayed signature is refused, all with the same words', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  const neighbour = await running(t);
  const attempts: Record<string, Parameters<typeof call>[3]> = {
    'another key': { key: Buffer.alloc(32, 1) },
    'the key of another instance': { key: instanceKey(masterKey, neighbour) },
    'the master key itself': { key: masterKey },
    'an old timestamp': { timestamp: now() - 61 },
    'a timestamp of the future': { timestamp: now() + 62 },
    'no number as timestamp': { timestamp: 'Infinity' },
    'an empty timestamp': { timestamp: '' },
    'a signature for another path': { path: pathOf(id, 'token') },
    'a signature for another instance': { path: pathOf(neighbour, 'bundle') },
    'a signature for another method': { method: 'POST' },
    'no signature': { headers: { 'x-haic-signature': '' } },
    'half a signature': { headers: { 'x-haic-signature': 'ab'.repeat(16) } },
    'a signature that is no hex': { headers: { 'x-haic-signature': 'z'.repeat(64) } },
  };
  const answers = new Set<string>();
  for (const [what, changes] of Object.entries(attempts)) {
    const response = await call(t, id, 'bundle', changes);
    assert.equal(response.status, 401, what);
    answers.add(((await response.json()) as { detail: string }).detail);
  }
  assert.equal(answers.size, 1);
  assert.equal((await t.as(owner, pathOf(id, 'bundle'))).status, 401, 'a person’s token is no signature');
});

test('a query cannot be added to a signed call', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  const timestamp = String(now());
  const path = pathOf(id, 'bundle');
  const signature = sign(instanceKey(masterKey, id), { method: 'GET', path, timestamp });
  const headers = { 'x-haic-timestamp': timestamp, 'x-haic-signature': signature };
  assert.equal((await t.as(undefined, `${path}?other=1`, { headers })).status, 401);
});

test('who cannot sign does not learn whether an instance exists; who can, and is gone, is told so', async () => {
  await using t = await startTestScheduler();
  const nothing = '44444444-4444-4444-8444-444444444444';
  assert.equal((await call(t, nothing, 'bundle', { key: Buffer.alloc(32) })).status, 401);
  assert.equal((await call(t, nothing, 'bundle')).status, 404);
  assert.equal((await call(t, nothing, 'token')).status, 404);
});

test('a PRIVATE instance that runs gets a token for its owner', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  const response = await call(t, id, 'token');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), {
    access_token: `token of owner for ${id}`,
    expires_in: 300,
    token_type: 'Bearer',
  });
});

test('the token is withdrawn the moment the visibility widens, and back when it narrows', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  for (const [visibility, status] of [
    ['ALL_USERS', 403],
    ['PUBLIC', 403],
    ['PRIVATE', 200],
  ] as const) {
    await t.as(owner, `/api/v1/instances/${id}`, { method: 'PATCH', json: { visibility } });
    const response = await call(t, id, 'token');
    assert.equal(response.status, status, visibility);
    // And with it goes what the code got by it before.
    assert.equal(await t.scheduler.actsForOwner(id, owner.subject), status === 200, visibility);
    assert.equal(await t.scheduler.actsForOwner(id, 'somebody-else'), false);
    const { code } = (await response.json()) as { code?: string };
    assert.equal(code, status === 403 ? 'platform_handle_withdrawn' : undefined);
  }
});

test('no token for an instance that does not run, nor for an owner who was disabled', async () => {
  await using t = await startTestScheduler();
  const id = await running(t);
  for (const phase of ['BackOff', 'Suspended', 'Terminating', 'Failed'] as const) {
    t.runtime.become(workloadNameOf(id), { phase });
    assert.equal((await call(t, id, 'token')).status, 409, phase);
  }
  t.runtime.become(workloadNameOf(id), { phase: 'Ready' });
  const person = t.identity.people.get(owner.subject);
  assert.ok(person);
  t.identity.people.set(owner.subject, { ...person, disabled: true });
  assert.equal((await call(t, id, 'token')).status, 403);
});
