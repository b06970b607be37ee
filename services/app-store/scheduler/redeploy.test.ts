import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workloadNameOf } from './model.ts';
import { exampleApp, pause, people, startTestScheduler } from './testing.ts';

const { owner, admin, other } = people;

test('an administrator gives an instance what a new one would get now; who it is and whether it runs stay', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const before = await t.runtime.get(workloadNameOf(id));
  const changed = exampleApp({ runtime: { memoryLimit: 3 * 1024 ** 3 } });
  t.apps.set(changed.id, changed);
  const path = `/api/v1/instances/${id}/redeploy`;

  assert.equal((await t.as(other, path, { method: 'POST' })).status, 404);
  const refused = await t.as(owner, path, { method: 'POST' });
  assert.deepEqual([refused.status, (await refused.json()).code], [403, 'administrators_only']);
  assert.equal((await t.as(admin, path, { method: 'POST' })).status, 200);

  const after = await t.runtime.get(workloadNameOf(id));
  assert.equal(after?.template.resources.memoryLimit, 3 * 1024 ** 3);
  assert.deepEqual(after?.labels, before?.labels);
  assert.deepEqual(after?.annotations, before?.annotations);
  assert.equal(after?.replicas, 1);
  assert.equal(t.identity.clients.size, 1);
});

test('a paused instance is redeployed without being woken up', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  await pause(t, id);
  const answer = await t.as(admin, `/api/v1/instances/${id}/redeploy`, { method: 'POST' });
  assert.deepEqual([answer.status, (await answer.json()).status], [200, 'SUSPENDED']);
  assert.equal((await t.runtime.get(workloadNameOf(id)))?.replicas, 0);
});

test('a core that is ending, and may have old settings, leaves it to the next one and goes on with the rest', async () => {
  let isEnding = false;
  await using t = await startTestScheduler({ isEnding: () => isEnding });
  const id = await t.run(owner);
  const changed = exampleApp({ runtime: { memoryLimit: 3 * 1024 ** 3 } });
  t.apps.set(changed.id, changed);
  const before = await t.runtime.get(workloadNameOf(id));
  isEnding = true;
  const headers = { 'idempotency-key': 'one-try-and-the-next' };
  const redeploy = () => t.as(admin, `/api/v1/instances/${id}/redeploy`, { method: 'POST', headers });
  const refused = await redeploy();
  assert.deepEqual(
    [refused.status, (await refused.json()).code, refused.headers.get('retry-after')],
    [503, 'service_unavailable', '2'],
  );
  assert.deepEqual((await t.runtime.get(workloadNameOf(id)))?.template, before?.template);
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`)).status, 200);
  isEnding = false;
  assert.equal((await redeploy()).status, 200);
});
