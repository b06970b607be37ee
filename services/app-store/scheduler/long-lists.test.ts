import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeRuntime } from '@haic/platform/runtime/fake.ts';
import { exampleApp, exampleCatalog, people, startTestScheduler } from './testing.ts';

test('a long list of instances asks the runtime nothing, and the catalog once for all their icons', async () => {
  const runtime = createFakeRuntime();
  const app = exampleApp();
  const catalog = exampleCatalog(new Map([[app.id, app]]));
  const asked: string[] = [];
  const counted = <A extends unknown[], R>(name: string, call: (...args: A) => R) => {
    return (...args: A): R => {
      asked.push(name);
      return call(...args);
    };
  };
  await using t = await startTestScheduler({
    runtime: {
      ...runtime,
      list: counted('runtime.list', runtime.list),
      get: counted('runtime.get', runtime.get),
    },
    catalog: {
      ...catalog,
      getApp: counted('catalog.getApp', catalog.getApp),
      getApps: counted('catalog.getApps', catalog.getApps),
    },
    limits: { fullAccess: 300, visitor: 1 },
  });
  for (let count = 0; count < 300; count += 1) await t.run(people.owner);
  asked.splice(0);
  const answer = await t.as(people.owner, '/api/v1/instances?pageSize=1000');
  assert.equal(((await answer.json()) as { items: unknown[] }).items.length, 300);
  assert.deepEqual(asked, ['catalog.getApps']);
});
