import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Bench, createBench, idle, server, shell } from '../contract-workloads.ts';
import type { PodTemplate, Workload, WorkloadSpec } from '../port.ts';
import type { KubernetesRuntime } from './runtime.ts';
import { makeNamespace, type TestNamespace } from './testing.ts';

const gibibyte = 2 ** 30;
const secretFile = {
  name: 's',
  mountPath: '/var/run/haic',
  source: { kind: 'secret', keys: ['key'] },
} as const;

describe('what people are told of a workload on Kubernetes', { concurrency: 4 }, () => {
  let made: TestNamespace;
  let runtime: KubernetesRuntime;
  let t: Bench;
  before(async () => {
    made = await makeNamespace();
    runtime = await made.start({
      images: {
        system: { reference: 'localhost/tools:1' },
        missing: { reference: 'localhost:1/nobody/has-this:1' },
        nonsense: { reference: 'UPPER/case:is:none' },
      },
    });
    t = createBench({ runtime, image: 'system', patienceMs: 60_000 });
  });
  after(() => made.destroy());

  /** Applies, and gives the first state with the reason. */
  async function told(
    reason: string,
    template: Partial<PodTemplate>,
    spec: Partial<WorkloadSpec> = {},
  ): Promise<Workload> {
    const wanted = t.spec(template, spec);
    await t.apply(wanted);
    return t.until(wanted.name, ({ status }) => status.reason === reason);
  }

  it('an image that the registry cannot be asked for: fetched again, and why it is not there', async () => {
    const { status } = await told('ImagePullBackOff', { image: 'missing' });
    assert.equal(status.phase, 'Pending');
    assert.match(status.message, /The image "missing" cannot be fetched: the registry cannot be reached/);
    assert.deepEqual([status.endpoints, status.restartCount, status.startedAt], [{}, 0, undefined]);
  });

  it('an image that does not exist: the registry has been asked, and does not have it', async () => {
    const asked: string[] = [];
    const code = { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] };
    const registry = createServer((request, response) => {
      asked.push(request.url ?? '');
      const known = request.url === '/v2/';
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(known ? '{}' : JSON.stringify(code));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    try {
      const reference = `localhost:${(registry.address() as AddressInfo).port}/nobody/made-this:1`;
      const other = await made.start({ images: { unmade: { reference } } });
      const spec = t.spec({ image: 'unmade' });
      await other.apply(spec, { signal: t.signal });
      const { status } = await t.until(spec.name, ({ status }) => status.reason === 'ImagePullBackOff');
      assert.equal(status.phase, 'Pending');
      assert.equal(
        status.message,
        'The image "unmade" cannot be fetched: the registry does not have it. It is tried again.',
      );
      assert.ok(asked.some((path) => path.includes('/nobody/made-this/manifests/1')));
      await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    } finally {
      registry.closeAllConnections();
      registry.close();
    }
  });

  it('an image with a name that is none', async () => {
    const { status } = await told('InvalidImageName', { image: 'nonsense' });
    assert.match(status.message, /The image "nonsense" has a name that is none/);
  });

  it('a process that uses more memory than its limit: ended, and what the limit was', async () => {
    const { status } = await told('OOMKilled', {
      command: ['/usr/bin/python3', '-c', 'x = bytearray(300 << 20)'],
      resources: { memoryLimit: 64 << 20 },
    });
    assert.equal(status.phase, 'BackOff');
    assert.equal(status.lastTermination?.reason, 'OOMKilled');
    assert.match(status.message, /more memory than its limit of 64 MiB/);
  });

  it('memory that no node has: which resource, and how much was asked for', async () => {
    const { status } = await told('Unschedulable', { resources: { memoryRequest: 5_000 * gibibyte } });
    assert.equal(status.phase, 'Pending');
    assert.match(status.message, /^No node has enough free memory \(it wants 4\.9 TiB\)/);
  });

  it('processors that no node has', async () => {
    const { status } = await told('Unschedulable', { resources: { cpuRequest: 500_000 } });
    assert.match(status.message, /^No node has enough free CPU \(it wants 500 cores\)/);
  });

  it('a GPU that no node has', async () => {
    const { status } = await told('Unschedulable', { resources: { gpus: 2 } });
    assert.match(status.message, /^No node has enough free GPUs \(it wants 2 of nvidia\.com\/gpu\)/);
  });

  it('a label that no node has', async () => {
    const { status } = await told('Unschedulable', { nodeSelector: { disk: 'fast' } });
    assert.match(status.message, /^No node has the labels that it wants \(disk=fast\)/);
  });

  it('a volume of a storage class that is not there, and one that nobody makes', async () => {
    const other = await made.start({ storageClass: 'no-such-class' });
    const spec = t.spec({
      volumes: [{ name: 'data', mountPath: '/app', source: { kind: 'persistent', claim: 'never-bound' } }],
    });
    await other.apply(spec, { signal: t.signal });
    const { status } = await t.until(spec.name, ({ status: { message } }) => /storage class/.test(message));
    assert.deepEqual([status.phase, status.reason], ['Pending', 'VolumePending']);
    assert.match(
      status.message,
      /Its volume "never-bound" is not there: there is no storage class "no-such-class"/,
    );
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('a probe that gets an answer, but no good one', async () => {
    const spec = t.spec({
      command: shell(server('PORT', '/tmp')),
      env: [{ name: 'PORT', portName: 'web' }],
      ports: [{ name: 'web' }],
      readinessProbe: { check: { kind: 'http', path: '/', port: 'web' }, periodSeconds: 1 },
    });
    await t.apply(spec);
    const words = 'The readiness probe was answered with status 500.';
    const { status } = await t.until(spec.name, ({ status: { message } }) => message === words);
    assert.deepEqual([status.phase, status.reason], ['Running', 'ProbeFailing']);
    assert.equal(
      status.endpoints.web?.port,
      8080,
      'its process is asked all the same: it may tell how far it is',
    );
  });

  it('a pod that was taken off its node: why, and another one in its place', async () => {
    const limited = await makeNamespace();
    try {
      const other = await limited.start();
      const u = createBench({ runtime: other, image: 'system', patienceMs: 90_000 });
      await limited.limit('disk', { default: { 'ephemeral-storage': '1Mi' } });
      const greedy = u.spec({ command: shell(`dd if=/dev/zero of=/tmp/file bs=1024k count=20; ${idle}`) });
      await u.apply(greedy);
      const { status } = await u.until(
        greedy.name,
        ({ status: { lastTermination } }) => lastTermination?.reason === 'Evicted',
      );
      assert.match(status.lastTermination?.message ?? '', /taken off node1: .*ephemeral local storage/i);
      // The next pod is not blamed for what became of the one before.
      await u.until(greedy.name, ({ status }) => status.phase === 'Ready' && status.restartCount === 0);
    } finally {
      await limited.destroy();
    }
  });

  it('a quota that is used up, in plain words, and starts when there is room', async () => {
    const limited = await makeNamespace();
    try {
      const other = await limited.start();
      const u = createBench({ runtime: other, image: 'system', patienceMs: 60_000 });
      await limited.quota('small', { 'limits.memory': '100Mi', persistentvolumeclaims: '0' });
      for (const [memoryLimit, words] of [
        [
          200 << 20,
          /The quota "small" is used up: it allows limits\.memory=100Mi, of which limits\.memory=0 is in use/,
        ],
        [undefined, /The quota "small" lets in only what says how much it needs: limits\.memory/],
      ] as const) {
        const spec = u.spec({ resources: memoryLimit === undefined ? {} : { memoryLimit } });
        await u.apply(spec);
        const { status } = await u.until(spec.name, ({ status }) => status.reason === 'QuotaExceeded');
        assert.equal(status.phase, 'Pending');
        assert.match(status.message, words);
        // One that ends by itself is a Job's: its quota is told in another place.
        const job = u.spec({ ...spec.template, restartPolicy: 'Never' });
        await u.apply(job);
        assert.match(
          (await u.until(job.name, ({ status }) => status.reason === 'QuotaExceeded')).status.message,
          words,
        );
        await other.remove(job.name, { volumes: 'delete', signal: u.signal });
        if (memoryLimit !== undefined)
          await u.apply({ ...spec, template: { ...spec.template, resources: { memoryLimit: 50 << 20 } } });
        if (memoryLimit !== undefined) await u.until(spec.name, 'Ready');
      }
      const volume = {
        name: 'v',
        mountPath: '/app',
        source: { kind: 'persistent', claim: 'one-too-many' },
      } as const;
      await assert.rejects(u.apply(u.spec({ volumes: [volume] })), (error: Error) => {
        assert.match(error.message, /The quota "small" is used up: it allows persistentvolumeclaims=0/);
        return (error as { code?: string }).code === 'quota_exceeded';
      });
    } finally {
      await limited.destroy();
    }
  });

  it('a process without privileges, a system that it cannot write, and nothing to ask the API server with', async () => {
    const script = [
      'echo "uid $(id -u) gid $(id -g)"',
      'touch /written /etc/written /usr/bin/written 2>/dev/null || echo "nothing written"',
      'touch /tmp/written && echo "but temporary files"',
      'ls /var/run/secrets 2>/dev/null || echo "no token"',
      'cat /proc/self/status; echo done',
      idle,
    ];
    const spec = t.spec({
      command: shell(script.join('\n')),
      secret: { key: 'value' },
      volumes: [secretFile],
    });
    await t.apply(spec);
    await t.line(spec.name, /^done$/);
    const said = (await t.lines(spec.name)).join('\n');
    assert.match(said, /^uid 10001 gid 10001\nnothing written\nbut temporary files\nno token\n/);
    // No capability, none to be had, and only the system calls of the default profile.
    assert.match(said, /CapEff:\s+0{16}\n/);
    assert.match(said, /CapBnd:\s+0{16}\n/);
    assert.match(said, /NoNewPrivs:\s+1\n/);
    assert.match(said, /Seccomp:\s+2\n/);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('what the namespace’s rules do not let in', async () => {
    const limited = await makeNamespace();
    try {
      await limited.limit('largest', { max: { cpu: '100' } });
      const other = await limited.start();
      const u = createBench({ runtime: other, image: 'system', patienceMs: 60_000 });
      const spec = u.spec({ resources: { cpuLimit: 200_000, cpuRequest: 10 } });
      await u.apply(spec);
      const { status } = await u.until(spec.name, ({ status }) => status.reason === 'NotAllowed');
      assert.match(status.message, /The cluster does not allow it: maximum cpu usage per Container is 100/);
    } finally {
      await limited.destroy();
    }
  });
});
