import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bench, createBench, idle, refusedWith, shell } from '../contract-workloads.ts';
import { findCgroups } from './cgroup.ts';
import type { LocalRuntime } from './runtime.ts';
import { makeInstallation, withoutSandbox } from './testing.ts';

const timing = { backOffFirst: 50, backOffLongest: 400, livenessPoll: 200 };

describe('limits of a local workload', { skip: withoutSandbox }, () => {
  let installation: Awaited<ReturnType<typeof makeInstallation>>;
  let runtime: LocalRuntime;
  let t: Bench;
  before(async () => {
    installation = await makeInstallation({ timing, processLimit: 50 });
    runtime = await installation.start();
    t = createBench({ runtime, image: 'system' });
  });
  after(() => installation.destroy());

  /** The file of a controller as the process itself cannot see it: through the shim's own membership. */
  const groupFile = async (name: string, controller: string, v1: string, v2: string) => {
    const directory = path.join(installation.options.stateDirectory, 'workloads', name, 'attempts/1');
    const pid = (await readFile(path.join(directory, 'pid'), 'utf8')).trim();
    const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n');
    const own = lines.find((line) => line.split(':')[1]?.split(',').includes(controller) === true);
    const place = own?.split(':')[2] ?? lines.find((line) => line.startsWith('0::'))?.slice(3) ?? '';
    const base = own === undefined ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
    return (await readFile(path.join(base, place, own === undefined ? v2 : v1), 'utf8')).trim();
  };

  it('ends what uses more memory than its limit, and names the limit', async () => {
    const spec = t.spec({
      command: ['/usr/bin/python3', '-c', 'import time\nx = bytearray(300 << 20)\ntime.sleep(60)'],
      resources: { memoryLimit: 64 << 20 },
    });
    await t.apply(spec);
    const { status } = await t.until(spec.name, 'BackOff');
    assert.deepEqual([status.reason, status.lastTermination?.reason], ['OOMKilled', 'OOMKilled']);
    assert.match(status.message, /64 MiB/);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('sets the limits in the kernel, and tells what is used', async () => {
    const spec = t.spec({
      command: shell(`echo up; ${idle}`),
      resources: { cpuLimit: 250, memoryLimit: 128 << 20 },
    });
    await t.apply(spec);
    await t.line(spec.name, /up/);
    assert.match(await groupFile(spec.name, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'), /^25000\b/);
    assert.equal(
      await groupFile(spec.name, 'memory', 'memory.limit_in_bytes', 'memory.max'),
      String(128 << 20),
    );
    assert.equal(await groupFile(spec.name, 'pids', 'pids.max', 'pids.max'), '50');
    const usage = (await runtime.get(spec.name))?.status.usage;
    assert.ok(usage?.memoryBytes !== undefined && usage.memoryBytes > 0 && usage.memoryBytes < 128 << 20);
    assert.ok(usage.cpuMilliseconds !== undefined);
  });

  it('stops a fork bomb at the limit of processes, and ends all of it', async () => {
    const spec = t.spec({
      command: shell('n=0; while [ $n -lt 200 ]; do sleep 1000 & n=$((n+1)); done; echo no limit'),
      restartPolicy: 'Never',
    });
    await t.apply(spec);
    await t.until(spec.name, 'Failed');
    assert.doesNotMatch((await t.lines(spec.name)).join('\n'), /no limit/);
  });

  it('says that a fixed port is taken, waits, and takes it when it is free', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const spec = t.spec({ ports: [{ name: 'web', port }] });
    await t.apply(spec);
    const { status } = await t.until(spec.name, 'BackOff');
    assert.equal(status.reason, 'PortTaken');
    assert.match(status.message, new RegExp(`Port ${port} `));
    await new Promise((resolve) => squatter.close(resolve));
    await t.until(spec.name, 'Ready');
  });

  it('refuses a fixed port that another workload has, until that is gone', async () => {
    const ports = [{ name: 'web', port: 19_871 }];
    const spec = t.spec({ ports });
    await t.apply(spec);
    await assert.rejects(t.apply(t.spec({ ports })), refusedWith('workload_conflict', 409));
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    const next = t.spec({ ports });
    await t.apply(next);
    await runtime.remove(next.name, { volumes: 'delete', signal: t.signal });
  });

  it('refuses what only a cluster has', async () => {
    const refused = refusedWith('invalid_workload', 400);
    await assert.rejects(t.apply(t.spec({ resources: { gpus: 1 } })), refused);
    await assert.rejects(t.apply(t.spec({ nodeSelector: { disk: 'ssd' } })), refused);
    await assert.rejects(t.apply(t.spec({ tolerations: [{ key: 'gpu' }] })), refused);
  });

  it('gives no port twice', async () => {
    const specs = Array.from({ length: 10 }, () => t.spec({ ports: [{ name: 'a' }, { name: 'b' }] }));
    await Promise.all(specs.map(t.apply));
    const ports: number[] = [];
    for (const spec of specs) {
      const { status } = await t.until(spec.name, 'Ready');
      for (const { port } of Object.values(status.endpoints)) ports.push(port);
    }
    assert.equal(new Set(ports).size, 20);
    await Promise.all(specs.map(({ name }) => runtime.remove(name, { volumes: 'delete', signal: t.signal })));
  });
});

describe('the disk of a local runtime', () => {
  it('refuses what it cannot write with the reason, and keeps the old workload', async (context) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'haic-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=711', 'tmpfs', directory], { stdio: 'pipe' });
    } catch {
      await rm(directory, { recursive: true });
      return context.skip('a small file system cannot be mounted here');
    }
    const installation = await makeInstallation({ timing, stateDirectory: path.join(directory, 'state') });
    try {
      const runtime = await installation.start();
      const t = createBench({ runtime, image: 'system' });
      const spec = t.spec({ command: shell(`echo up; ${idle}`) });
      await t.apply(spec);
      const before = await t.until(spec.name, 'Ready');
      await t.line(spec.name, /up/);
      const filler = path.join(directory, 'filler');
      await writeFile(filler, Buffer.alloc(2 << 20)).catch(() => {});
      const changed = {
        ...spec,
        template: { ...spec.template, env: [{ name: 'A', value: 'x'.repeat(9_000) }] },
      };
      await assert.rejects(t.apply(changed), refusedWith('insufficient_storage', 507));
      await assert.rejects(t.apply(t.spec()), refusedWith('insufficient_storage', 507));
      const now = await runtime.get(spec.name);
      assert.deepEqual([now?.template, now?.status.startedAt], [before.template, before.status.startedAt]);
      assert.equal((await runtime.list({})).length, 1);
      await rm(filler);
      await t.apply(changed);
      await t.until(
        spec.name,
        ({ template, status }) => template.env.length === 1 && status.phase === 'Ready',
      );
    } finally {
      await installation.destroy();
      execFileSync('umount', [directory]);
      await rm(directory, { recursive: true });
    }
  });
});

describe('control groups of version 2', () => {
  it('are written as the kernel documents them', async () => {
    // A directory in place of the kernel's file system: this machine may have version 1 only.
    const mount = await mkdtemp(path.join(tmpdir(), 'haic-cgroup-'));
    await writeFile(path.join(mount, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
    const groups = await findCgroups('haic-x', mount);
    assert.equal(groups?.version, 2);
    assert.equal(
      await readFile(path.join(mount, 'haic-x/cgroup.subtree_control'), 'utf8'),
      '+memory +cpu +pids',
    );
    const group = await groups.create(
      'app.1',
      { memoryLimit: 1 << 20, cpuLimit: 1_500, cpuRequest: 1_000 },
      10,
    );
    const read = (file: string) => readFile(path.join(mount, 'haic-x/app.1', file), 'utf8');
    assert.deepEqual(
      [
        await read('memory.max'),
        await read('memory.swap.max'),
        await read('cpu.max'),
        await read('cpu.weight'),
        await read('pids.max'),
      ],
      ['1048576', '0', '150000 100000', '100', '10'],
    );
    await writeFile(
      path.join(mount, 'haic-x/app.1/memory.events'),
      'low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n',
    );
    await writeFile(path.join(mount, 'haic-x/app.1/memory.current'), '4096\n');
    await writeFile(path.join(mount, 'haic-x/app.1/memory.stat'), 'anon 1\ninactive_file 96\n');
    await writeFile(path.join(mount, 'haic-x/app.1/cpu.stat'), 'usage_usec 5000\nuser_usec 1\n');
    assert.equal(await group.oomKills(), 2);
    assert.deepEqual(await group.usage(), { memoryBytes: 4_000, cpuMilliseconds: 5 });
    await rm(mount, { recursive: true });
  });

  it('are not to be had where they cannot be written', async () => {
    const mount = await mkdtemp(path.join(tmpdir(), 'haic-cgroup-'));
    await mkdir(path.join(mount, 'cgroup.controllers'));
    assert.equal(await findCgroups('haic-x', mount), undefined);
    assert.ok((await stat(mount)).isDirectory());
    await rm(mount, { recursive: true });
  });
});
