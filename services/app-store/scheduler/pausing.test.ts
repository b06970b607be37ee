import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FakeRuntime } from '@haic/platform/runtime/fake.ts';
import type { WorkloadPhase } from '@haic/platform/runtime/port.ts';
import { workloadNameOf } from './model.ts';
import type { presentInstance } from './present.ts';
import { exampleApp, pause, people, startTestScheduler, type TestScheduler } from './testing.ts';

type Json = ReturnType<typeof presentInstance>;
const { owner, admin } = people;
const hour = 3_600_000;
const start = Date.parse('2026-01-01T10:00:00.000Z');
const iso = (hours: number) => new Date(start + hours * hour).toISOString();

/** A scheduler whose clock the test moves. */
async function startWithClock(options: Parameters<typeof startTestScheduler<FakeRuntime>>[0] = {}) {
  const clock = { hours: 0 };
  const t = await startTestScheduler<FakeRuntime>({ ...options, now: () => start + clock.hours * hour });
  return { t, clock, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

const call = (t: TestScheduler, id: string, action: string, who = owner) =>
  t.as(who, `/api/v1/instances/${id}/${action}`, { method: 'POST' });
const read = async (t: TestScheduler, id: string) =>
  (await (await t.as(owner, `/api/v1/instances/${id}`)).json()) as Json;
const codeOf = async (response: Promise<Response>) => {
  const answer = await response;
  return [answer.status, ((await answer.json()) as { code?: string }).code];
};

describe('pausing and resuming', () => {
  test('pausing stops what runs and keeps its volumes; resuming starts it again', async () => {
    await using world = await startWithClock();
    const { t, clock } = world;
    const id = await t.run(owner);
    t.runtime.become(workloadNameOf(id), { phase: 'Ready' });
    clock.hours = 1;
    const answer = (await (await call(t, id, 'suspend')).json()) as Json;
    assert.deepEqual([answer.status, answer.reason], ['SUSPENDED', 'Pausing'], 'said from the first moment');
    assert.deepEqual([answer.updatedAt, answer.suspendAt], [iso(1), null]);

    t.runtime.become(workloadNameOf(id), { phase: 'Suspended' });
    const paused = await read(t, id);
    assert.deepEqual([paused.status, paused.reason], ['SUSPENDED', 'PausedByOwner']);
    assert.match(paused.message, /^Paused by its owner\. .*data volume are kept/);
    const workload = await t.runtime.get(workloadNameOf(id));
    assert.equal(workload?.replicas, 0);
    assert.equal(t.identity.clients.size, 1, 'its sign-in client waits for it');

    clock.hours = 3;
    const resumed = (await (await call(t, id, 'resume')).json()) as Json;
    assert.equal((await t.runtime.get(workloadNameOf(id)))?.replicas, 1);
    assert.equal(resumed.suspendAt, iso(11), 'the time begins anew');
    t.runtime.become(workloadNameOf(id), { phase: 'Pending' });
    const pending = await read(t, id);
    assert.equal(pending.status, 'PENDING');
    assert.equal(
      pending.stages[0]?.startedAt,
      iso(3),
      'it waits since it was woken up, not since it was made',
    );
    assert.deepEqual(workload?.template, (await t.runtime.get(workloadNameOf(id)))?.template);
  });

  test('an administrator’s pause is told as one', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    await call(t, id, 'suspend', admin);
    t.runtime.become(workloadNameOf(id), { phase: 'Suspended' });
    assert.equal((await read(t, id)).reason, 'PausedByAdministrator');
  });

  test('what may follow what, and the reason where it may not', async () => {
    // biome-ignore format: columns
    const table: readonly [WorkloadPhase, string, string, string][] = [
      //              suspend           resume             extend
      ['Pending',     'ok',             'not_paused',      'ok'],
      ['Starting',    'ok',             'not_paused',      'ok'],
      ['Ready',       'ok',             'not_paused',      'ok'],
      ['BackOff',     'ok',             'not_paused',      'ok'],
      ['Failed',      'ok',             'not_paused',      'ok'],
      ['Suspended',   'already_paused', 'ok',              'already_paused'],
      ['Terminating', 'instance_ending', 'instance_ending', 'instance_ending'],
    ];
    for (const [phase, ...expected] of table) {
      for (const [column, action] of ['suspend', 'resume', 'extend'].entries()) {
        await using t = await startTestScheduler();
        const id = await t.run(owner);
        if (phase === 'Suspended') await pause(t, id);
        else t.runtime.become(workloadNameOf(id), { phase });
        const [status, code] = await codeOf(call(t, id, action));
        const wanted = expected[column] === 'ok' ? [200, undefined] : [409, expected[column]];
        assert.deepEqual([status, code], wanted, `${action} when ${phase}`);
      }
    }
  });

  test('it is not woken up before its old process is gone', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    t.runtime.become(workloadNameOf(id), { phase: 'Ready' });
    await call(t, id, 'suspend');
    t.runtime.become(workloadNameOf(id), { phase: 'Terminating' });
    assert.equal((await read(t, id)).status, 'SUSPENDED', 'it is not being removed');
    assert.deepEqual(await codeOf(call(t, id, 'resume')), [409, 'still_pausing']);
  });

  test('of two that pause at once one does, and the other is told', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    const answers = await Promise.all([call(t, id, 'suspend'), call(t, id, 'suspend', admin)]);
    assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [200, 409]);
  });
});

describe('pausing by itself', () => {
  test('an instance pauses 8 hours after its start unless somebody extends it', async () => {
    await using world = await startWithClock();
    const { t, clock } = world;
    const id = await t.run(owner);
    assert.deepEqual([(await read(t, id)).suspendAfter, (await read(t, id)).suspendAt], [28_800, iso(8)]);
    clock.hours = 7;
    await t.scheduler.pauseDue();
    const extended = (await (await call(t, id, 'extend')).json()) as Json;
    assert.deepEqual([extended.status, extended.suspendAt], ['PENDING', iso(15)]);
    clock.hours = 14.9;
    await t.scheduler.pauseDue();
    assert.equal((await t.runtime.get(workloadNameOf(id)))?.replicas, 1);
    clock.hours = 15;
    await t.scheduler.pauseDue();
    t.runtime.become(workloadNameOf(id), { phase: 'Suspended' });
    const paused = await read(t, id);
    assert.deepEqual([paused.reason, paused.suspendAt], ['TimeLimit', null]);
    assert.match(paused.message, /^Paused by itself after 8 hours\./);
  });

  test('it happens by itself', async () => {
    await using t = await startTestScheduler({ now: () => start, intervals: { pauseMs: 5 } });
    const id = await t.run(owner);
    const ended = AbortSignal.timeout(10_000);
    const past = { 'haic.io/suspend-at': iso(-1) };
    await t.runtime.patch(workloadNameOf(id), { annotations: past }, { signal: ended });
    for await (const event of t.scheduler.client.watchRoutes(ended)) {
      const routes = event.type === 'SNAPSHOT' ? event.routes : event.type === 'SET' ? [event.route] : [];
      if (routes.some((route) => route.status === 'SUSPENDED')) return;
    }
    assert.fail('it was not paused');
  });

  test('the time survives a restart of the platform; what came due meanwhile is paused then', async () => {
    await using first = await startWithClock();
    const id = await first.t.run(owner);
    first.t.scheduler.stop();
    await using second = await startWithClock({ runtime: first.t.runtime });
    assert.equal((await read(second.t, id)).suspendAt, iso(8));
    second.clock.hours = 9;
    await second.t.scheduler.pauseDue();
    assert.equal((await first.t.runtime.get(workloadNameOf(id)))?.replicas, 0);
  });

  test('an app’s own InstanceTimeout goes before the installation’s, and both may say never', async () => {
    const after = async (
      instanceTimeout: number | 'never' | undefined,
      suspendAfter?: number | 'never',
    ): Promise<unknown[]> => {
      const app = exampleApp({ manifest: { instanceTimeout } });
      await using world = await startWithClock({
        app,
        ...(suspendAfter === undefined ? {} : { suspendAfter }),
      });
      const instance = await read(world.t, await world.t.run(owner));
      return [instance.suspendAfter, instance.suspendAt];
    };
    assert.deepEqual(await after(5400), [5400, iso(1.5)]);
    assert.deepEqual(await after('never'), ['never', null]);
    assert.deepEqual(await after(undefined, 'never'), ['never', null]);
    assert.deepEqual(await after(undefined, 7200), [7200, iso(2)]);
    assert.deepEqual(await after(7200, 'never'), [7200, iso(2)]);
  });

  test('an administrator switches it off and on again; nothing is to be extended then', async () => {
    await using world = await startWithClock();
    const { t, clock } = world;
    const id = await t.run(owner);
    const set = async (suspendAfter: unknown) => {
      const path = `/api/v1/instances/${id}`;
      const answer = await t.as(admin, path, { method: 'PATCH', json: { suspendAfter } });
      return (await answer.json()) as Json;
    };
    assert.equal((await set('never')).suspendAt, null);
    clock.hours = 1000;
    await t.scheduler.pauseDue();
    assert.equal((await t.runtime.get(workloadNameOf(id)))?.replicas, 1);
    assert.deepEqual(await codeOf(call(t, id, 'extend')), [409, 'nothing_to_extend']);
    assert.equal((await set(3600)).suspendAt, iso(1001));

    await pause(t, id);
    assert.equal((await set(7200)).suspendAt, null, 'nothing counts down while it is paused');
    assert.equal(((await (await call(t, id, 'resume')).json()) as Json).suspendAt, iso(1002));
  });

  test('nonsense is refused, and nonsense at a workload pauses nothing', async () => {
    await using world = await startWithClock();
    const { t, clock } = world;
    const id = await t.run(owner);
    for (const json of [
      {},
      { suspendAfter: 0 },
      { suspendAfter: -1 },
      { suspendAfter: 1e12 },
      { suspendAfter: null },
    ])
      assert.equal((await t.as(admin, `/api/v1/instances/${id}`, { method: 'PATCH', json })).status, 400);
    const annotations = { 'haic.io/suspend-at': 'yesterday', 'haic.io/paused-by': 'a ghost' };
    await t.runtime.patch(workloadNameOf(id), { annotations }, { signal: AbortSignal.timeout(1000) });
    clock.hours = 1000;
    await t.scheduler.pauseDue();
    assert.equal((await t.runtime.get(workloadNameOf(id)))?.replicas, 1);
  });

  test('one that cannot be paused keeps no other from it, and is tried again', async () => {
    await using world = await startWithClock();
    const { t, clock } = world;
    const ids = [await t.run(owner), await t.run(owner)];
    clock.hours = 8;
    t.runtime.failNext('patch', new Error('the disk is full'));
    await t.scheduler.pauseDue();
    const replicas = async () =>
      Promise.all(ids.map(async (id) => (await t.runtime.get(workloadNameOf(id)))?.replicas));
    assert.deepEqual(await replicas(), [1, 0]);
    await t.scheduler.pauseDue();
    assert.deepEqual(await replicas(), [0, 0]);
  });
});
