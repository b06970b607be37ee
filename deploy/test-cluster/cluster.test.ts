import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deadline, until } from '@haic/kit/deadline.ts';
import { isAlive } from '@haic/kit/process-identity.ts';
import { findCluster, runningClusters, startCluster, type TestCluster } from './cluster.ts';
import { readRecord } from './enclosure.ts';
import { startFakeNodes } from './fake-nodes-process.ts';
import { fakeLabel, fakeTaint } from './fake-objects.ts';
import { isThere, run } from './run.ts';

const cacheDirectory = process.env.HAIC_CACHE ?? '/var/cache/haic';
const signal = AbortSignal.timeout(500_000);
const names = ['one', 'two', 'tied'].map((name) => `${name}-${process.pid}`);
const [one = '', two = '', tied = ''] = names;

const inside = async (cluster: TestCluster, ...words: string[]) => {
  const { command, args, env } = cluster.command(words);
  return (await run(command, args, { env, signal })).trim();
};
const start = (name: string) => startCluster({ cacheDirectory, name, tied: true, signal });

/**
 * What on this machine looks like a cluster's, wherever one could leave it. Others use the machine too: what they mount and make meanwhile is
 * none of it.
 */
async function traces(): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  const files = await Promise.all(
    ['/tmp', '/run', '/var/lib', '/var/log', '/var/run', '/etc'].map(async (folder) =>
      (await readdir(folder)).map((name) => path.join(folder, name)),
    ),
  );
  const sysctl = await Promise.all(
    ['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops'].map(
      async (name) => `${name} ${await readFile(`/proc/sys/${name}`, 'utf8')}`,
    ),
  );
  const ours = /kube|containerd|\/cni|hostpath_pv|\/pods|\/containers|test-cluster/;
  return [...[...mounts, ...files.flat()].filter((line) => ours.test(line)), ...sysctl].toSorted();
}

const groupsOf = async ({ folder }: TestCluster): Promise<string[]> =>
  (await readFile(path.join(folder, 'groups'), 'utf8')).trim().split('\n');

/** Processes that were started with a path of the cluster's, whatever namespace they are in. */
async function processesOf(cluster: TestCluster): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(cluster.folder)) found.push(words.replaceAll('\0', ' '));
  }
  return found;
}

describe('the test cluster', () => {
  after(async () => {
    for (const name of names) await (await findCluster(cacheDirectory, name))?.stop();
  });

  it('runs twice at once without one seeing the other, and leaves nothing behind', async () => {
    const before = await traces();
    const clusters = await Promise.all([start(one), start(two)]);
    const [first, second] = clusters;
    assert.ok(first && second);
    await inside(first, 'kubectl', 'create', 'namespace', 'only-here');
    assert.match(await inside(first, 'kubectl', 'get', 'namespaces', '-o', 'name'), /only-here/);
    assert.doesNotMatch(await inside(second, 'kubectl', 'get', 'namespaces', '-o', 'name'), /only-here/);
    for (const cluster of clusters)
      assert.equal(
        await inside(
          cluster,
          'kubectl',
          'get',
          'node',
          '-o',
          'jsonpath={.items[*].status.conditions[-1].status}',
        ),
        'True',
      );
    const running = (await runningClusters(cacheDirectory)).map(({ name }) => name);
    assert.ok(running.includes(one) && running.includes(two), running.join());
    await assert.rejects(start(one), /already/);
    assert.ok((await processesOf(first)).length >= 7);

    const groups = await Promise.all(clusters.map(groupsOf));
    assert.ok(groups.flat().length >= 2);
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    for (const group of groups.flat()) assert.ok(!(await isThere(group)), group);
    for (const cluster of clusters) {
      assert.deepEqual(await processesOf(cluster), []);
      assert.ok(!(await isThere(cluster.folder)));
    }
    assert.deepEqual(await traces(), before);
  });

  it('has no way out: its network is a pair of devices that both are its own', async () => {
    const cluster = await findCluster(cacheDirectory, process.env.HAIC_TEST_CLUSTER ?? '');
    assert.ok(cluster, 'the tests of this area run in a cluster: ./haic kube exec -- …');
    const links = JSON.parse(await inside(cluster, 'ip', '-json', 'link')) as {
      ifname: string;
      link?: string;
    }[];
    const own = links.filter(({ ifname }) => !/^veth[0-9a-f]+$/.test(ifname));
    const pairs = own.map(({ ifname, link }) => [ifname, link]).toSorted();
    assert.deepEqual(pairs, [
      ['gateway0', 'node0'],
      ['lo', undefined],
      ['node0', 'gateway0'],
    ]);
  });

  it('goes on when its API server was killed and is back', async () => {
    const cluster = await findCluster(cacheDirectory, process.env.HAIC_TEST_CLUSTER ?? '');
    assert.ok(cluster);
    await cluster.kill('kube-apiserver');
    await assert.rejects(inside(cluster, 'kubectl', 'get', 'nodes', '--request-timeout=2s'), /refused/);
    await cluster.start('kube-apiserver');
    assert.match(await inside(cluster, 'kubectl', 'get', 'nodes'), /node1/);
  });

  it('has nodes that are none when asked to: what may go there is said to run and answers, and nothing else goes there', async () => {
    const cluster = await findCluster(cacheDirectory, process.env.HAIC_TEST_CLUSTER ?? '');
    assert.ok(cluster);
    const nodes = await startFakeNodes(cluster, 2, { tied: true });
    const make = (name: string, more: Readonly<Record<string, unknown>>) => {
      const overrides = JSON.stringify({ apiVersion: 'v1', spec: { nodeSelector: fakeLabel, ...more } });
      const words = ['--image', 'localhost/nobody-has-it:1', '--port', '8123', '--overrides', overrides];
      return inside(cluster, 'kubectl', 'run', name, ...words);
    };
    const of = (name: string, field: string) =>
      inside(cluster, 'kubectl', 'get', 'pod', name, '-o', `jsonpath={${field}}`);
    try {
      await make('may', { tolerations: [{ key: fakeTaint, operator: 'Exists' }] });
      await make('may-not', {});
      await inside(cluster, 'kubectl', 'wait', 'pod/may', '--for=condition=Ready', '--timeout=30s');
      const ask = `fetch('http://${await of('may', '.status.podIP')}:8123/').then(async (a) => console.log(await a.text()))`;
      const answer = await inside(cluster, process.execPath, '-e', ask);
      assert.equal(answer, `This is the fake pod ${await of('may', '.metadata.uid')}.`);
      // On this machine, each of thousands would be a dozen rules.
      assert.doesNotMatch(await inside(cluster, 'iptables', '--wait', '--list-rules'), /POD name:may /);
      assert.match(await of('may-not', '.status.conditions[0].message'), /untolerated taint/);
      await inside(cluster, 'kubectl', 'delete', 'pod', 'may', 'may-not', '--timeout=30s');
    } finally {
      await nodes.stop();
    }
    assert.equal(await inside(cluster, 'kubectl', 'get', 'nodes', '-o', 'name'), 'node/node1');
  });

  it('ends with whom it is for, also when that is killed', async () => {
    const script = `
      const { startCluster } = await import(${JSON.stringify(fileURLToPath(new URL('./cluster.ts', import.meta.url)))});
      await startCluster({ cacheDirectory: ${JSON.stringify(cacheDirectory)}, name: '${tied}', tied: true, signal: AbortSignal.timeout(200_000) });
      console.log('up');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const cluster = await findCluster(cacheDirectory, tied);
    assert.ok(cluster);
    const record = await readRecord(cluster.folder);
    assert.ok(record);
    child.kill('SIGKILL');
    await until(async () => ((await isAlive(record.holder)) ? undefined : true), {
      everyMs: 50,
      signal: deadline(20_000),
    });
    assert.deepEqual(await processesOf(cluster), []);
    // Its files and groups go with the next start.
    const groups = await groupsOf(cluster);
    assert.ok(groups[0] !== undefined && (await isThere(groups[0])));
    const next = await start(one);
    await next.stop();
    for (const left of [cluster.folder, ...groups]) assert.ok(!(await isThere(left)), left);
  });

  it('refuses a name that is a path', async () => {
    await assert.rejects(start('../x'), /not a name/);
  });
});
