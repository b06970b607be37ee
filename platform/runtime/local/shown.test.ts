import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkloadSpec } from '../port.ts';
import type { LocalRuntime } from './runtime.ts';
import { makeInstallation } from './testing.ts';

const installation = await makeInstallation();
let runtime: LocalRuntime;
before(async () => {
  runtime = await installation.start();
});
after(() => installation.destroy());

const spec = (name: string): WorkloadSpec => ({
  name,
  labels: { app: 'a' },
  annotations: {},
  replicas: 0,
  template: {
    image: 'system',
    command: ['sleep', '1000'],
    env: [],
    secret: { KEY: 'not shown' },
    ports: [],
    resources: {},
    volumes: [],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 1,
  },
});

describe('a workload as it is shown', () => {
  it('is the same object until something changes, for everyone who asks', async () => {
    const signal = AbortSignal.timeout(10_000);
    await runtime.apply(spec('same'), { signal });
    const isSuspended = async () => (await runtime.list({}))[0]?.status.phase === 'Suspended';
    while (!(await isSuspended())) await new Promise(setImmediate);
    const [before] = await runtime.list({ app: 'a' });
    assert.equal((await runtime.list({ app: 'a' }))[0], before);
    await runtime.patch('same', { annotations: { note: 'new' } }, { signal });
    const [changed] = await runtime.list({ app: 'a' });
    assert.deepEqual([before?.annotations, changed?.annotations], [{}, { note: 'new' }]);
  });

  it('cannot be changed by whoever got it', async () => {
    const [shown] = await runtime.list({});
    assert.ok(shown !== undefined);
    assert.throws(() => Object.assign(shown.status, { phase: 'Ready' }), TypeError);
    assert.throws(() => Object.assign(shown.template.resources, { cpuLimit: 1 }), TypeError);
  });
});
