import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { createFakeRuntime } from '@haic/platform/runtime/fake.ts';
import { appId, people, startTestScheduler } from '../testing.ts';
import { startingContract } from './contract.ts';
import { createMemoryStarting } from './memory.ts';
import { createPostgresStarting, startingMigrations } from './postgres.ts';

let started: { database: Database; stop(): Promise<void> };
before(async () => {
  started = await startTestDatabase();
  await migrate(started.database, startingMigrations);
});
after(() => started.stop());

startingContract('memory', createMemoryStarting);
startingContract('PostgreSQL', () => createPostgresStarting(started.database));

describe('starts that go on, in PostgreSQL', () => {
  it('count until every scheduler has seen them, and those of one that was killed only for as long as a start takes', async () => {
    const of = { appId: randomUUID(), owner: randomUUID() };
    const starting = createPostgresStarting(started.database, { longestSeconds: 600, seenAfterSeconds: 60 });
    await (await starting.begin(randomUUID(), of)).made();
    await starting.begin(randomUUID(), of);
    assert.equal(await starting.countOf(of.appId, []), 2);
    const ages = async (longestSeconds: number, seenAfterSeconds: number) =>
      createPostgresStarting(started.database, { longestSeconds, seenAfterSeconds }).countOf(of.appId, []);
    assert.deepEqual([await ages(600, 0), await ages(0, 60)], [1, 1]);
  });

  it('are no reason to call a start failed that is done: nothing but a warning when they cannot be told of it', async () => {
    const starting = createMemoryStarting();
    const away = async () => Promise.reject(new Error('The database is away.'));
    await using t = await startTestScheduler({
      starting: {
        ...starting,
        begin: async (id, start) => ({ ...(await starting.begin(id, start)), made: away }),
      },
    });
    const id = await t.run(people.owner);
    assert.equal((await t.as(people.owner, `/api/v1/instances/${id}`)).status, 200);
  });

  it('let two schedulers hold the limit of a person together', async () => {
    const runtime = createFakeRuntime();
    const starting = createPostgresStarting(started.database);
    const options = { runtime, starting, limits: { fullAccess: 3 } };
    await using one = await startTestScheduler(options);
    await using two = await startTestScheduler(options);
    const run = `/api/v1/apps/${appId}/instances`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : two).as(people.owner, run, { method: 'POST', json: {} }),
      ),
    );
    assert.equal((await runtime.list({})).length, 3);
    // And a place that was given back can be had at once, at whichever of them.
    const made = await Promise.all(
      answers
        .filter(({ status }) => status === 201)
        .map((answer) => answer.json() as Promise<{ id: string }>),
    );
    assert.equal(made.length, 3);
    const id = made[0]?.id;
    assert.equal((await one.as(people.owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await two.as(people.owner, run, { method: 'POST', json: {} })).status, 201);
  });
});
