import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBench } from '../contract-workloads.ts';
import type { WorkloadSpec } from '../port.ts';
import { anyWorkloadRuns, readWorkloads, writeWorkloads } from './copies.ts';
import { makeInstallation } from './testing.ts';

describe('a local runtime that is held', () => {
  let installation: Awaited<ReturnType<typeof makeInstallation>>;
  let elsewhere: Awaited<ReturnType<typeof makeInstallation>>;
  let spec: WorkloadSpec;
  const signal = AbortSignal.timeout(60_000);
  const say = (word: string) => ['/bin/sh', '-c', `echo ${word}; exec sleep 600`];
  before(async () => {
    installation = await makeInstallation();
    elsewhere = await makeInstallation();
  });
  after(async () => {
    await installation.destroy();
    await elsewhere.destroy();
  });

  it('starts nothing before it begins, and then what was asked for last', async () => {
    const first = await installation.start();
    const bench = createBench({ runtime: first, image: 'system' });
    spec = bench.spec({ command: say('old'), terminationGracePeriodSeconds: 0, secret: { key: 'value' } });
    await bench.apply(spec);
    await bench.until(spec.name, 'Ready');
    await first.shutdown();
    const { stateDirectory } = installation.options;
    assert.equal(await anyWorkloadRuns(stateDirectory), false);

    const second = await installation.start({ held: true });
    await second.apply({ ...spec, template: { ...spec.template, command: say('new') } }, { signal });
    await sleep(300);
    assert.equal(await anyWorkloadRuns(stateDirectory), false);
    second.begin();
    for await (const line of second.logs(spec.name, { follow: true, signal })) {
      assert.equal(line, 'new');
      break;
    }
    assert.equal(await anyWorkloadRuns(stateDirectory), true);
  });

  it('is told of workloads by copies of them, with their secrets, and runs them elsewhere', async () => {
    const copies = await readWorkloads(installation.options.stateDirectory, {});
    assert.deepEqual(copies.get(spec.name)?.secret, { key: 'value' });
    assert.equal((await readWorkloads(installation.options.stateDirectory, { no: 'such' })).size, 0);
    await writeWorkloads(elsewhere.options.stateDirectory, [...copies.values()], []);
    const runtime = await elsewhere.start();
    for await (const line of runtime.logs(spec.name, { follow: true, signal })) {
      assert.equal(line, 'new');
      break;
    }
  });

  it('refuses a copy whose name is a path', async () => {
    const [copy] = (await readWorkloads(installation.options.stateDirectory, {})).values();
    assert.ok(copy !== undefined);
    const hostile = { ...copy, record: { ...copy.record, spec: { ...copy.record.spec, name: '../../etc' } } };
    const state = elsewhere.options.stateDirectory;
    await assert.rejects(writeWorkloads(state, [hostile], []), /no name of a workload/);
    await assert.rejects(
      writeWorkloads(state, [], [{ claim: '../x', workload: 'a' }]),
      /no name of a volume/,
    );
  });
});
