import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { type Bench, createBench, idle, refusedWith, shell } from '../contract-workloads.ts';
import type { WorkloadEvent } from '../port.ts';
import type { KubeObject } from './objects.ts';
import type { KubernetesRuntime } from './runtime.ts';
import { clusterOfTest, makeNamespace, type TestNamespace } from './testing.ts';

interface Listed {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

/** How long the API server is away at least. */
const awayMs = process.env.HAIC_TEST_SIZE === 'full' ? 60_000 : 0;

/** One after the other: what is broken here is broken for the whole cluster. */
describe('faults of a cluster', () => {
  let made: TestNamespace;
  let runtime: KubernetesRuntime;
  let t: Bench;
  before(async () => {
    made = await makeNamespace();
    runtime = await made.start();
    t = createBench({ runtime, image: 'system', patienceMs: 90_000 });
  });
  after(() => made.destroy());
  const inNamespace = (path: string) => `/api/v1/namespaces/${made.namespace}/${path}`;
  const namesOf = async (path: string) => {
    const { items } = await made.api.json<Listed>({ path, signal: t.signal });
    return items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
  };

  it('the API server away: what runs is still shown, changes are refused with the reason, and all is right when it is back', async () => {
    const cluster = await clusterOfTest();
    const spec = t.spec({
      command: shell('n=0; while :; do n=$((n+1)); echo "line $n"; sleep 0.2; done'),
      terminationGracePeriodSeconds: 0,
    });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    const over = new AbortController();
    const signal = AbortSignal.any([t.signal, over.signal]);
    const lines: number[] = [];
    const following = (async () => {
      for await (const line of runtime.logs(spec.name, { follow: true, signal }))
        lines.push(Number(line.slice(5)));
    })();
    const events: WorkloadEvent[] = [];
    const watching = (async () => {
      for await (const event of runtime.watch({}, { signal })) events.push(event);
    })();
    await t.line(spec.name, /line 3$/);

    await cluster.kill('kube-apiserver');
    const killedAt = performance.now();
    const change = { annotations: { changed: 'while it was away' } };
    await assert.rejects(
      runtime.patch(spec.name, change, { signal: t.signal }),
      refusedWith('runtime_unavailable', 503),
    );
    await assert.rejects(t.apply(t.spec()), refusedWith('runtime_unavailable', 503));
    assert.equal((await runtime.get(spec.name))?.status.phase, 'Ready');
    while (runtime.capabilities().trouble === undefined)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(runtime.capabilities().trouble?.what ?? '', /has not answered since 2/);
    await sleep(Math.max(0, awayMs - (performance.now() - killedAt)), t.signal);
    assert.equal((await runtime.get(spec.name))?.status.phase, 'Ready');
    const seenBefore = lines.at(-1) ?? 0;

    await cluster.start('kube-apiserver');
    await runtime.patch(spec.name, change, { signal: t.signal });
    const other = t.spec({ command: shell(idle) });
    await t.apply(other);
    await t.until(other.name, 'Ready');
    while ((lines.at(-1) ?? 0) < seenBefore + 5) await new Promise((resolve) => setTimeout(resolve, 50));
    while (runtime.capabilities().trouble !== undefined)
      await new Promise((resolve) => setTimeout(resolve, 50));
    over.abort();
    await Promise.all([following, watching]);
    assert.deepEqual(
      lines,
      lines.map((_, index) => (lines[0] ?? 0) + index),
      'no line is missing, none comes twice',
    );
    assert.equal((await runtime.get(spec.name))?.status.restartCount, 0);
    assert.ok(!events.some((event) => event.type === 'REMOVED'), 'nothing that goes on was said to be gone');
    assert.ok(events.some((event) => event.type === 'SET' && event.workload.name === other.name));
    for (const { name } of [spec, other]) await runtime.remove(name, { volumes: 'delete', signal: t.signal });
  });

  it('changes by others meanwhile: each is kept', async () => {
    const spec = t.spec({ command: shell(idle) });
    await t.apply(spec);
    const second = await made.start();
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    await Promise.all(
      keys.map((key, index) =>
        (index % 2 === 0 ? runtime : second).patch(
          spec.name,
          { annotations: { [key]: 'set' } },
          { signal: t.signal },
        ),
      ),
    );
    const { annotations } = await t.until(spec.name, (workload) =>
      keys.every((key) => workload.annotations[key] === 'set'),
    );
    assert.deepEqual(Object.keys(annotations).toSorted(), keys.toSorted());
    // One who writes past us, with kubectl.
    const deployment = `/apis/apps/v1/namespaces/${made.namespace}/deployments/${spec.name}`;
    const contentType = 'application/merge-patch+json';
    const body = { spec: { replicas: 0 }, metadata: { annotations: { note: 'by hand' } } };
    await made.api.json({ method: 'PATCH', path: deployment, contentType, body, signal: t.signal });
    const paused = await t.until(spec.name, 'Suspended');
    assert.deepEqual([paused.replicas, paused.annotations.note], [0, 'by hand']);
    await runtime.patch(spec.name, { replicas: 1 }, { signal: t.signal });
    await t.until(spec.name, 'Ready');
    await made.api.json({ method: 'DELETE', path: deployment, signal: t.signal });
    await t.gone(spec.name);
    assert.equal(await runtime.get(spec.name), undefined);
  });

  it('removed by hand: its Service and Secret go too, and its volume stays', async () => {
    const spec = t.spec({
      command: shell(idle),
      secret: { key: 'value' },
      ports: [{ name: 'web' }],
      volumes: [{ name: 'data', mountPath: '/app', source: { kind: 'persistent', claim: 'kept' } }],
    });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    assert.deepEqual(
      [(await namesOf(inNamespace('services'))).length, (await namesOf(inNamespace('secrets'))).length],
      [1, 1],
    );
    await made.api.json({
      method: 'DELETE',
      path: `/apis/apps/v1/namespaces/${made.namespace}/deployments/${spec.name}`,
      signal: t.signal,
    });
    await t.gone(spec.name);
    for (const what of ['services', 'secrets', 'pods'])
      while ((await namesOf(inNamespace(what))).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(await namesOf(inNamespace('persistentvolumeclaims')), ['kept']);
    // It is nobody's that lives, and can be taken.
    const next = t.spec(spec.template);
    await t.apply(next);
    await t.until(next.name, 'Ready');
    await runtime.remove(next.name, { volumes: 'delete', signal: t.signal });
    assert.deepEqual(await namesOf(inNamespace('persistentvolumeclaims')), []);
  });

  it('a volume that is not Haic’s is not taken; one that is left of what was removed by hand goes when that is asked for', async () => {
    const claims = inNamespace('persistentvolumeclaims');
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
    const foreign = { metadata: { name: 'of-somebody' }, spec };
    await made.api.json({ method: 'POST', path: claims, body: foreign, signal: t.signal });
    const volume = (claim: string) =>
      ({ name: 'v', mountPath: '/app', source: { kind: 'persistent', claim } }) as const;
    await assert.rejects(
      t.apply(t.spec({ volumes: [volume('of-somebody')] })),
      refusedWith('workload_conflict', 409),
    );
    await made.api.json({ method: 'DELETE', path: `${claims}/of-somebody`, signal: t.signal });
    const workload = t.spec({ command: shell(idle), volumes: [volume('left')] });
    await t.apply(workload);
    const path = `/apis/apps/v1/namespaces/${made.namespace}/deployments/${workload.name}`;
    await made.api.json({ method: 'DELETE', path, signal: t.signal });
    await t.gone(workload.name);
    await runtime.remove(workload.name, { volumes: 'delete', signal: t.signal });
    while ((await namesOf(claims)).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it('a pod that is deleted: another one begins, and who follows the log goes on in it', async () => {
    const spec = t.spec({ command: shell(`echo "in $(cat /proc/sys/kernel/hostname)"; ${idle}`) });
    await t.apply(spec);
    const lines: string[] = [];
    for await (const line of runtime.logs(spec.name, { follow: true, signal: t.signal })) {
      lines.push(line);
      if (lines.length === 2) break;
      const [pod = ''] = await namesOf(inNamespace('pods'));
      await made.api.json({ method: 'DELETE', path: inNamespace(`pods/${pod}`), signal: t.signal });
    }
    assert.equal(new Set(lines).size, 2, lines.join());
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('a job that has ended runs again when it is resumed, with its secret', async () => {
    const spec = t.spec({
      command: shell('echo "token $TOKEN $(date +%s%N)"'),
      restartPolicy: 'Never',
      secret: { token: 'abc' },
      env: [{ name: 'TOKEN', secretKey: 'token' }],
    });
    await t.apply(spec);
    const first = await t.until(spec.name, 'Succeeded');
    const lines = await t.lines(spec.name);
    await runtime.patch(spec.name, { replicas: 0 }, { signal: t.signal });
    await t.until(spec.name, 'Suspended');
    await runtime.patch(spec.name, { replicas: 1 }, { signal: t.signal });
    const again = await t.until(spec.name, 'Succeeded');
    assert.equal(again.createdAt, first.createdAt);
    assert.match((await t.lines(spec.name)).join(), /^token abc \d+$/);
    assert.notDeepEqual(await t.lines(spec.name), lines);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    assert.deepEqual(await namesOf(inNamespace('secrets')), []);
  });

  it('a job that is changed has the secret that it had', async () => {
    const job = { command: shell('echo "$KEY"'), env: [{ name: 'KEY', secretKey: 'key' }] };
    const spec = t.spec({ ...job, secret: { key: 'value' }, restartPolicy: 'Never' });
    await t.apply(spec);
    await t.until(spec.name, 'Succeeded');
    await t.apply({ ...spec, template: { ...spec.template, command: shell('echo "again $KEY"') } });
    await t.line(spec.name, /^again value$/);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('the node gone: said so, and well again when it is back', async () => {
    const cluster = await clusterOfTest();
    const spec = t.spec({ command: shell(idle) });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    await cluster.kill('kubelet');
    const { status } = await t.until(spec.name, ({ status }) => status.reason === 'NodeLost');
    assert.equal(status.phase, 'Running');
    assert.match(status.message, /Its node node1 does not answer any more/);
    await cluster.start('kubelet');
    await t.until(spec.name, 'Ready');
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('what a killed process left half made: it is no workload, is gone on with when it is asked for again, and else is removed', async () => {
    const spec = t.spec({ command: shell(idle), secret: { key: 'value' } });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    const deployments = `/apis/apps/v1/namespaces/${made.namespace}/deployments`;
    const unfinish = async () => {
      const annotations = { 'runtime.haic.io/complete': null };
      const body = { metadata: { annotations } };
      const path = `${deployments}/${spec.name}`;
      await made.api.json({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        body,
        signal: t.signal,
      });
      await t.gone(spec.name);
    };
    await unfinish();
    assert.equal((await t.apply(spec)).name, spec.name);
    await t.until(spec.name, 'Ready');
    const leaveSecret = async () => {
      const labels = { 'runtime.haic.io/workload': 'never-made' };
      const body = { metadata: { name: 'left-behind', labels }, immutable: true };
      await made.api.json({ method: 'POST', path: inNamespace('secrets'), body, signal: t.signal });
    };
    const untilOnly = async (path: string, ...names: readonly string[]) => {
      while ((await namesOf(path)).join() !== names.join()) await sleep(100, t.signal);
    };
    await leaveSecret();
    const [used = ''] = (await namesOf(inNamespace('secrets'))).filter((name) => name !== 'left-behind');
    // Killed between what names a Secret and what gives it to it: something runs by it.
    const secret = { path: inNamespace(`secrets/${used}`), signal: t.signal };
    const contentType = 'application/merge-patch+json';
    const body = { metadata: { ownerReferences: null } };
    await made.api.json({ ...secret, method: 'PATCH', contentType, body });
    await made.start({ orphanedAfterMs: 0 });
    await untilOnly(inNamespace('secrets'), used);
    await t.apply({ ...spec, template: { ...spec.template, command: shell(`echo changed; ${idle}`) } });
    const { metadata } = await made.api.json<KubeObject>(secret);
    assert.equal(metadata.ownerReferences?.length, 1);
    await unfinish();
    await leaveSecret();
    await made.start({ orphanedAfterMs: 0 });
    for (const path of [deployments, inNamespace('secrets')]) await untilOnly(path);
  });

  it('another process of Haic sees the same, and a namespace that is not there is said to be missing', async () => {
    const spec = t.spec({ command: shell(idle) }, { labels: { seen: 'by-both' } });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    const second = await made.start();
    const [theirs] = await second.list({ seen: 'by-both' });
    assert.deepEqual(theirs, await runtime.get(spec.name));
    const nowhere = await made.start({ namespace: 'no-such-namespace' });
    await assert.rejects(nowhere.apply(t.spec(), { signal: t.signal }), /has to make its namespace first/);
  });
});
