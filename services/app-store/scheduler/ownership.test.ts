import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { FakeRuntime } from '@haic/platform/runtime/fake.ts';
import type { InstanceRoute } from './client.ts';
import type { LauncherConfig } from './launcher-config.ts';
import { workloadNameOf } from './model.ts';
import type { presentInstance } from './present.ts';
import { instanceKey, sign } from './signature.ts';
import {
  appId,
  exampleApp,
  masterKey,
  pause,
  people,
  startTestScheduler,
  type TestScheduler,
  viaApp,
} from './testing.ts';

type Json = ReturnType<typeof presentInstance> & { code?: string; detail?: string };
type T = TestScheduler & { readonly runtime: FakeRuntime };
const { owner, other, author, admin, visitor, core } = people;

const withVolume = exampleApp({ runtime: { volumeMount: '/data', oidc: true } });

function disable(t: T, who: Principal, disabled = true): void {
  const person = t.identity.people.get(who.subject);
  assert.ok(person);
  t.identity.people.set(who.subject, { ...person, disabled });
}
const answerOf = async (response: Promise<Response>) => {
  const answer = await response;
  return { status: answer.status, json: (await answer.json()) as Json };
};
const get = async (t: T, who: Principal, id: string) =>
  (await answerOf(t.as(who, `/api/v1/instances/${id}`))).json;
const give = (t: T, who: Principal, id: string, to: string) =>
  answerOf(t.as(who, `/api/v1/instances/${id}`, { method: 'PATCH', json: { owner: to } }));
const replicas = async (t: T, ...ids: string[]) =>
  Promise.all(ids.map(async (id) => (await t.runtime.get(workloadNameOf(id)))?.replicas));
const configOf = (t: T, id: string): LauncherConfig =>
  JSON.parse(t.runtime.specOf(workloadNameOf(id))?.template.secret['instance.json'] ?? '{}');
/** A paused instance of somebody who is disabled. */
async function leftBehind(t: T): Promise<string> {
  const id = await t.run(owner);
  await pause(t, id);
  disable(t, owner);
  return id;
}

describe('when a person is disabled or removed', () => {
  test('all that they run is paused, volumes kept, and nothing of anybody else', async () => {
    await using t = await startTestScheduler();
    const theirs = [await t.run(owner), await t.run(owner, { visibility: 'PUBLIC' })];
    const others = await t.run(other);
    disable(t, owner);
    await t.scheduler.whenPersonEnds(owner.subject);
    assert.deepEqual(await replicas(t, ...theirs, others), [0, 0, 1]);
    t.runtime.become(workloadNameOf(theirs[0] ?? ''), { phase: 'Suspended' });
    const told = await get(t, admin, theirs[0] ?? '');
    assert.deepEqual([told.status, told.reason], ['SUSPENDED', 'OwnerEnded']);
    assert.match(told.message, /account of its owner was disabled or removed.*data volume are kept/);
  });

  test('what a crash kept from being paused is found, also of a person who is gone altogether', async () => {
    await using t = await startTestScheduler();
    const ids = [await t.run(owner), await t.run(other), await t.run(author)];
    disable(t, owner);
    t.identity.people.delete(other.subject);
    await t.scheduler.reconcile();
    assert.deepEqual(await replicas(t, ...ids), [0, 0, 1]);
  });

  test('it is found by itself, and asked for all owners at once', async () => {
    await using t = await startTestScheduler({ intervals: { sweepMs: 5 } });
    const id = await t.run(owner);
    await t.run(other);
    const asked: number[] = [];
    const { activeAmong } = t.identity;
    t.identity.activeAmong = (subjects) => {
      asked.push(subjects.length);
      return activeAmong(subjects);
    };
    disable(t, owner);
    for await (const event of t.scheduler.client.watchRoutes(AbortSignal.timeout(10_000))) {
      const routes: readonly InstanceRoute[] =
        event.type === 'SNAPSHOT' ? event.routes : event.type === 'SET' ? [event.route] : [];
      if (routes.some((route) => route.instanceId === id && route.status === 'SUSPENDED')) break;
    }
    assert.ok(asked.includes(2) && asked.every((count) => count <= 2));
  });

  test('while identity cannot be asked nothing is paused', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    t.identity.down = new Error('the database is away');
    await assert.rejects(t.scheduler.reconcile());
    assert.deepEqual(await replicas(t, id), [1]);
  });

  test('one that cannot be paused keeps no other from it', async () => {
    await using t = await startTestScheduler();
    const ids = [await t.run(owner), await t.run(owner)];
    disable(t, owner);
    t.runtime.failNext('patch', new Error('the disk is full'));
    await t.scheduler.whenPersonEnds(owner.subject);
    assert.deepEqual((await replicas(t, ...ids)).toSorted(), [0, 1]);
    await t.scheduler.reconcile();
    assert.deepEqual(await replicas(t, ...ids), [0, 0]);
  });

  test('nothing of theirs is resumed or started, with a token that still lives either', async () => {
    await using t = await startTestScheduler();
    const id = await leftBehind(t);
    const resumed = await answerOf(t.as(admin, `/api/v1/instances/${id}/resume`, { method: 'POST' }));
    assert.deepEqual([resumed.status, resumed.json.code], [409, 'owner_unavailable']);
    const started = await answerOf(
      t.as(owner, `/api/v1/apps/${appId}/instances`, { method: 'POST', json: {} }),
    );
    assert.deepEqual([started.status, started.json.code], [403, 'person_unavailable']);
    disable(t, owner, false);
    assert.equal((await t.as(owner, `/api/v1/instances/${id}/resume`, { method: 'POST' })).status, 200);
  });
});

describe('handing an instance over', () => {
  test('all that hangs on the owner follows, and the volume stays', async () => {
    await using t = await startTestScheduler({ app: withVolume });
    const id = await leftBehind(t);
    const before = configOf(t, id);
    const clientBefore = t.identity.clients.get(id)?.secret;
    const volumes = t.runtime.specOf(workloadNameOf(id))?.template.volumes;
    const answer = await give(t, admin, id, 'other');
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    assert.deepEqual(answer.json.owner, { subject: other.subject, username: 'other' });
    assert.equal(answer.json.status, 'SUSPENDED');

    const after = configOf(t, id);
    assert.equal(after.ownerUsername, 'other', 'what the app is told (H2O_CLOUD_INSTANCE_OWNER)');
    assert.notEqual(after.hmacKey, before.hmacKey);
    assert.notEqual(t.identity.clients.get(id)?.secret, clientBefore);
    assert.equal(after.oidc?.clientSecret, t.identity.clients.get(id)?.secret);
    assert.deepEqual(t.runtime.specOf(workloadNameOf(id))?.template.volumes, volumes);

    assert.equal(
      (await t.as(owner, `/api/v1/instances/${id}`)).status,
      404,
      'the former owner knows of it no more',
    );
    const theirs = await get(t, other, id);
    assert.deepEqual([theirs.canManage, theirs.canOpen, theirs.canReadLogs], [true, true, true]);
    assert.equal((await get(t, admin, id)).canOpen, false, 'an administrator still cannot open it');
    assert.equal((await t.as(other, `/api/v1/instances/${id}/resume`, { method: 'POST' })).status, 200);
    assert.equal((await get(t, other, id)).createdAt, answer.json.createdAt);
  });

  test('the router learns of the new owner at once', async () => {
    await using t = await startTestScheduler();
    const id = await leftBehind(t);
    const seen: string[] = [];
    for await (const event of t.scheduler.client.watchRoutes(AbortSignal.timeout(10_000))) {
      if (event.type === 'SNAPSHOT') await give(t, admin, id, 'other');
      else if (event.type === 'SET') seen.push(event.route.owner);
      if (seen.includes(other.subject)) return;
    }
    assert.fail('no route of the new owner was told');
  });

  test('the token endpoint mints for the new owner, and not for who kept the old key', async () => {
    await using t = await startTestScheduler();
    const id = await leftBehind(t);
    const path = `/api/launcher/v1/instances/${id}/token`;
    const mint = async (key: Buffer) => {
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = sign(key, { method: 'POST', path, timestamp });
      const headers = { 'x-haic-timestamp': timestamp, 'x-haic-signature': signature };
      return t.as(undefined, path, { method: 'POST', headers });
    };
    const formerKey = Buffer.from(configOf(t, id).hmacKey, 'hex');
    assert.deepEqual(formerKey, instanceKey(masterKey, id));
    await give(t, admin, id, 'other');
    await t.as(other, `/api/v1/instances/${id}/resume`, { method: 'POST' });
    t.runtime.become(workloadNameOf(id), { phase: 'Running', startedAt: new Date().toISOString() });
    assert.equal((await mint(formerKey)).status, 401);
    const minted = await mint(Buffer.from(configOf(t, id).hmacKey, 'hex'));
    assert.equal(
      ((await minted.json()) as { access_token: string }).access_token,
      `token of other for ${id}`,
    );
  });

  test('who may: an administrator alone, by no app, and only while they are one', async () => {
    for (const [who, actor, status] of [
      ['its owner', owner, 403],
      ['the owner of the app', author, 403],
      ['somebody else', other, 404],
      ['a visitor', visitor, 404],
      ['a service', core, 403],
      ['an administrator', admin, 200],
    ] as const) {
      await using t = await startTestScheduler();
      const id = await leftBehind(t);
      assert.equal((await give(t, actor, id, 'other')).status, status, who);
    }
    await using t = await startTestScheduler();
    const id = await leftBehind(t);
    assert.equal((await give(t, viaApp(admin, id), id, 'other')).json.code, 'app_token_refused');
    const demoted = t.identity.people.get(admin.subject);
    assert.ok(demoted);
    t.identity.people.set(admin.subject, { ...demoted, roles: ['user'] });
    assert.equal((await give(t, admin, id, 'other')).json.code, 'administrators_only');
  });

  test('what is in the way is said, and nothing is changed', async () => {
    await using t = await startTestScheduler();
    const running = await t.run(owner);
    assert.deepEqual([(await give(t, admin, running, 'other')).json.code], ['owner_active']);
    const { standingOf } = t.identity;
    t.identity.standingOf = async () => 'unknown';
    assert.deepEqual([(await give(t, admin, running, 'other')).json.code], ['owner_standing_unknown']);
    t.identity.standingOf = standingOf;
    disable(t, owner);
    assert.deepEqual([(await give(t, admin, running, 'other')).json.code], ['not_paused']);
    await pause(t, running);
    disable(t, author);
    for (const nobody of ['author', 'nobody', '', 'a\u0000b'])
      assert.deepEqual([(await give(t, admin, running, nobody)).json.code], ['unsuitable_owner'], nobody);
    assert.equal((await get(t, admin, running)).owner.username, 'owner');
    assert.equal((await give(t, admin, running, 'other')).status, 200);
  });

  test('a failure leaves it with the former owner, paused, and is mended by doing it again', async () => {
    await using t = await startTestScheduler();
    const id = await leftBehind(t);
    t.runtime.failNext('apply', new Error('the disk is full'));
    assert.equal((await give(t, admin, id, 'other')).status, 500);
    assert.equal((await get(t, admin, id)).owner.username, 'owner');
    assert.deepEqual(await replicas(t, id), [0]);
    assert.equal((await give(t, admin, id, 'other')).status, 200);
    assert.equal(t.identity.clients.size, 1);
  });
});

describe('when an app is handed over', () => {
  test('its new owner sees the instances and their logs, the former one no longer', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    assert.equal((await t.as(author, `/api/v1/instances/${id}/logs`)).status, 200);
    await t.scheduler.whenAppIsHandedOver(appId, other.subject);
    assert.equal((await t.as(author, `/api/v1/instances/${id}`)).status, 404);
    assert.equal((await t.as(other, `/api/v1/instances/${id}/logs`)).status, 200);
    assert.equal((await get(t, owner, id)).updatedAt, (await get(t, owner, id)).createdAt);
  });

  test('what a crash kept from following is found', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    t.apps.set(appId, { ...exampleApp(), owner: { subject: other.subject, username: 'other' } });
    await t.scheduler.reconcile();
    assert.equal((await t.as(author, `/api/v1/instances/${id}`)).status, 404);
    assert.equal((await t.as(other, `/api/v1/instances/${id}/logs`)).status, 200);
  });
});

describe('what a person owns', () => {
  const path = '/api/v1/people/owner/belongings';
  const handOver = (t: T, who: Principal, username: string, json: unknown) =>
    t.as(who, `/api/v1/people/${username}/hand-over`, { method: 'POST', json });

  test('is shown to administrators, by no app, and only while they are one', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    for (const [actor, status] of [
      [owner, 403],
      [author, 403],
      [viaApp(admin, id), 403],
      [core, 403],
      [admin, 200],
      [undefined, 401],
    ] as const) {
      assert.equal((await t.as(actor, path)).status, status);
      if (actor !== undefined)
        assert.equal((await handOver(t, actor, 'owner', { to: 'other', apps: [] })).status, status);
    }
    disable(t, admin);
    assert.equal((await t.as(admin, path)).status, 403);
  });

  test('apps and instances, and how many run', async () => {
    await using t = await startTestScheduler({
      app: exampleApp({ owner: { subject: owner.subject, username: 'owner' } }),
    });
    const running = await t.run(owner);
    const paused = await t.run(owner);
    await t.run(other);
    await pause(t, paused);
    const all = (await (await t.as(admin, path)).json()) as {
      apps: { id: string; title: string }[];
      instances: { id: string; status: string }[];
      running: number;
    };
    assert.deepEqual(
      all.apps.map(({ id, title }) => [id, title]),
      [[appId, 'Hello']],
    );
    assert.deepEqual(all.instances.map(({ id }) => id).toSorted(), [running, paused].toSorted());
    assert.equal(all.running, 1);
    assert.equal((await t.as(admin, '/api/v1/people/stranger/belongings')).status, 404);
  });

  test('is handed over all at once or picked; what cannot be says why and stops nothing else', async () => {
    await using t = await startTestScheduler({
      app: exampleApp({ owner: { subject: owner.subject, username: 'owner' } }),
    });
    const [first, second, foreign] = [await t.run(owner), await t.run(owner), await t.run(other)];
    for (const id of [first, foreign]) await pause(t, id);
    disable(t, owner);
    const picked = (await (
      await handOver(t, admin, 'owner', { to: 'author', instances: [second, foreign, first] })
    ).json()) as { apps: unknown[]; instances: { id: string; problem?: { code: string } }[] };
    assert.deepEqual(picked.apps, []);
    assert.deepEqual(
      picked.instances.map(({ id, problem }) => [id, problem?.code]),
      [
        [second, 'not_paused'],
        [foreign, 'not_found'],
        [first, undefined],
      ],
    );
    await pause(t, second);
    const rest = await (await handOver(t, admin, 'owner', { to: 'author' })).json();
    assert.deepEqual(rest, { apps: [{ id: appId }], instances: [{ id: second }] });
    assert.equal(t.apps.get(appId)?.owner.username, 'author');
    assert.equal((await get(t, other, foreign)).owner.username, 'other');
  });

  test('also of a person who is gone, by the name that they had', async () => {
    await using t = await startTestScheduler();
    const id = await t.run(owner);
    await pause(t, id);
    t.identity.people.delete(owner.subject);
    const { instances } = (await (await t.as(admin, path)).json()) as { instances: { id: string }[] };
    assert.deepEqual(
      instances.map((instance) => instance.id),
      [id],
    );
    const done = await (await handOver(t, admin, 'Owner', { to: 'other' })).json();
    assert.deepEqual(done, { apps: [], instances: [{ id }] });
  });

  test('who has the name of somebody gone owns nothing of theirs', async () => {
    await using t = await startTestScheduler();
    await t.run(owner);
    const person = t.identity.people.get(owner.subject);
    assert.ok(person);
    t.identity.people.delete(owner.subject);
    t.identity.people.set('sub-namesake', { ...person, subject: 'sub-namesake' });
    assert.deepEqual(await (await t.as(admin, path)).json(), { apps: [], instances: [], running: 0 });
  });
});

test('an administrator finds who uses what: by owner, status and app', async () => {
  await using t = await startTestScheduler();
  const ids = [await t.run(owner), await t.run(owner), await t.run(other)];
  await pause(t, ids[0] ?? '');
  const find = async (query: string, who: Principal = admin) => {
    const { items } = (await (await t.as(who, `/api/v1/instances?all=true${query}`)).json()) as {
      items: Json[];
    };
    return items.map(({ id }) => id).toSorted();
  };
  assert.deepEqual(await find('&owner=OWNER'), [ids[0], ids[1]].toSorted());
  assert.deepEqual(await find('&owner=owner&status=SUSPENDED'), [ids[0]]);
  assert.deepEqual(await find('&status=PENDING'), [ids[1], ids[2]].toSorted());
  assert.deepEqual(await find('&owner=own'), []);
  assert.deepEqual(await find('&owner=owner', other), [], 'a filter shows nobody more than they may see');
  assert.equal((await t.as(admin, '/api/v1/instances?all=true&status=NONE')).status, 400);

  const nothing = '55555555-5555-4555-8555-555555555555';
  const usage = async (who: Principal) => {
    const response = await t.as(who, `/api/v1/app-usage?appIds=${appId},${nothing}`);
    return ((await response.json()) as { items: { instances: number; running: number }[] }).items;
  };
  const [used, unused] = await usage(admin);
  assert.deepEqual([used?.instances, used?.running], [3, 2]);
  assert.deepEqual(unused, { appId: nothing, instances: 0, running: 0, lastStartedAt: null });
  assert.equal((await usage(owner))[0]?.instances, 2);
  assert.equal((await usage(visitor))[0]?.instances, 0);
});
