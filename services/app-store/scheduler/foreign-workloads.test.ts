import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkloadSpec } from '@haic/platform/runtime/port.ts';
import { workloadNameOf } from './model.ts';
import { people, startTestScheduler } from './testing.ts';

const { owner, admin } = people;
const signal = AbortSignal.timeout(10_000);

test('what others put into the runtime is neither shown as an instance nor hides one', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const real = t.runtime.specOf(workloadNameOf(id));
  assert.ok(real);
  const strangers: Partial<WorkloadSpec>[] = [
    { name: `abc-${id}` },
    { name: 'installer', labels: { 'haic.io/kind': 'installer' }, annotations: {} },
    { name: 'app-empty', labels: { 'haic.io/kind': 'app-instance' }, annotations: {} },
    {
      name: 'app-nobody',
      labels: { ...real.labels, 'haic.io/instance': 'nobody' },
      annotations: { 'haic.io/owner': '' },
    },
  ];
  for (const change of strangers) await t.runtime.apply({ ...real, ...change }, { signal });
  const listed = await (await t.as(admin, '/api/v1/instances?all=true')).json();
  assert.deepEqual(
    (listed as { items: { id: string }[] }).items.map((item) => item.id),
    [id],
  );
  const watching = new AbortController();
  for await (const event of t.scheduler.client.watchRoutes(watching.signal)) {
    assert.deepEqual(event.type === 'SNAPSHOT' && event.routes.map((route) => route.instanceId), [id]);
    watching.abort();
  }
});

test('an instance that was removed by hand is gone at once, and one that was changed by hand is seen so', async () => {
  await using t = await startTestScheduler();
  const [gone, shared] = [await t.run(owner), await t.run(owner)];
  await t.runtime.remove(workloadNameOf(gone), { volumes: 'delete', signal });
  await t.runtime.patch(
    workloadNameOf(shared),
    { annotations: { 'haic.io/visibility': 'PUBLIC' } },
    { signal },
  );
  assert.equal((await t.as(owner, `/api/v1/instances/${gone}`)).status, 404);
  const instance = (await (await t.as(owner, `/api/v1/instances/${shared}`)).json()) as {
    visibility: string;
  };
  assert.equal(instance.visibility, 'PUBLIC');
});

test('the view recovers when the watch of the runtime breaks', async () => {
  await using t = await startTestScheduler();
  // The fake's watch is the real one; what breaks is the first connection to it.
  const { watch } = t.runtime;
  let broken = 0;
  const runtime = Object.assign(t.runtime, {
    watch: async function* (...args: Parameters<typeof watch>) {
      broken += 1;
      if (broken === 1) throw new Error('the connection broke');
      yield* watch(...args);
    },
  });
  await using second = await startTestScheduler({ runtime });
  const id = await second.run(owner);
  const watching = new AbortController();
  for await (const event of second.scheduler.client.watchRoutes(watching.signal)) {
    assert.deepEqual(event.type === 'SNAPSHOT' && event.routes.map((route) => route.instanceId), [id]);
    watching.abort();
  }
  assert.equal(broken, 2);
});
