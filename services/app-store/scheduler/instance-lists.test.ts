import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@haic/kit/logging.ts';
import { createFakeRuntime } from '@haic/platform/runtime/fake.ts';
import type { Runtime, WorkloadEvent } from '@haic/platform/runtime/port.ts';
import { createInstances } from './instances.ts';

const logger = createLogger('scheduler', 'silent');

/** Tells nothing before `tell`. */
function silent(): { runtime: Runtime; tell: () => void } {
  const told = Promise.withResolvers<void>();
  async function* watch(): AsyncGenerator<WorkloadEvent> {
    await told.promise;
    yield { type: 'SYNC', workloads: [] };
  }
  return { runtime: { ...createFakeRuntime(), watch }, tell: told.resolve };
}

test('a list waits until the runtime has told what runs', async () => {
  const { runtime, tell } = silent();
  const instances = createInstances({ runtime, logger, now: Date.now });
  const list = instances.inOrder({});
  tell();
  assert.deepEqual([...(await list)], []);
  instances.stop();
});

test('a runtime that tells nothing for long is said to be the trouble, and is no empty list', async () => {
  const { runtime } = silent();
  const instances = createInstances({ runtime, logger, now: Date.now, firstWordMs: 20 });
  await assert.rejects(instances.inOrder({}), { code: 'runtime_unavailable', status: 503 });
  instances.stop();
});
