import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { toolsImage } from '@haic/test-cluster/tools-image.ts';
import { type Bench, createBench, idle, shell } from '../../contract-workloads.ts';
import type { KubernetesRuntime } from '../runtime.ts';
import { makeNamespace, type TestNamespace } from '../testing.ts';
import { testHelm } from './testing.ts';

interface ReleaseSecret {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data: { readonly release: string };
}

describe('instances as releases of Helm', () => {
  let made: TestNamespace;
  let runtime: KubernetesRuntime;
  let t: Bench;
  before(async () => {
    made = await makeNamespace();
    runtime = await made.start({ helm: { ...testHelm, abandonedAfterMs: 0 } });
    t = createBench({ runtime, image: 'system', patienceMs: 90_000 });
  });
  after(() => made.destroy());

  /** As somebody at a terminal. */
  async function helm(words: readonly string[], values?: unknown): Promise<string> {
    const input = values === undefined ? [] : ['--values', '-'];
    const running = promisify(execFile)(testHelm.program, [
      ...words,
      ...input,
      '--namespace',
      made.namespace,
    ]);
    running.child.stdin?.end(JSON.stringify(values) ?? '');
    return (await running).stdout;
  }
  const statusOf = async (name: string) =>
    (JSON.parse(await helm(['status', name, '--output', 'json'])) as { info: { status: string } }).info
      .status;
  const secretsOf = async (name: string) => {
    const path = `/api/v1/namespaces/${made.namespace}/secrets`;
    const query = { labelSelector: `owner=helm,name=${name}` };
    return (await made.api.json<{ items: ReleaseSecret[] }>({ path, query, signal: t.signal })).items;
  };
  const values = (change: object = {}) => ({
    image: { reference: toolsImage },
    labels: { by: 'hand' },
    template: { command: shell(idle), terminationGracePeriodSeconds: 0 },
    ...change,
  });

  it('a release made by hand is an instance like any other; helm upgrade and helm uninstall are seen', async () => {
    const watched: string[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for await (const event of runtime.watch({ by: 'hand' }, { signal: over.signal }))
        watched.push(event.type === 'SET' ? event.workload.status.phase : event.type);
    })();
    await helm(['install', 'by-hand', testHelm.chart], values());
    const first = await t.until('by-hand', 'Ready');
    assert.deepEqual(
      [first.labels, first.template.command, first.replicas],
      [{ by: 'hand' }, shell(idle), 1],
    );
    await helm(
      ['upgrade', 'by-hand', testHelm.chart],
      values({ replicas: 0, annotations: { note: 'paused by hand' } }),
    );
    const paused = await t.until('by-hand', 'Suspended');
    assert.deepEqual(paused.annotations, { note: 'paused by hand' });
    // And Haic goes on with it.
    await runtime.patch('by-hand', { replicas: 1, labels: { more: 'yes' } }, { signal: t.signal });
    await t.until('by-hand', 'Ready');
    assert.equal(await statusOf('by-hand'), 'deployed');
    await helm(['uninstall', 'by-hand']);
    await t.gone('by-hand');
    over.abort();
    await watching;
    assert.equal(watched.at(0), 'SYNC');
    assert.ok(watched.includes('Ready') && watched.at(-1) === 'REMOVED', watched.join());
  });

  it('everything of an instance is in its release, but for its secrets', async () => {
    const spec = t.spec(
      {
        command: shell(idle),
        secret: { token: 'very-s3cret' },
        env: [{ name: 'TOKEN', secretKey: 'token' }],
      },
      { labels: { app: 'one' }, annotations: { owner: 'ada' } },
    );
    await t.apply(spec);
    const told = JSON.parse(await helm(['get', 'values', spec.name, '--output', 'json'])) as Record<
      string,
      unknown
    >;
    const { secret: _, ...template } = spec.template;
    assert.deepEqual(
      [told.labels, told.annotations, told.template],
      [spec.labels, spec.annotations, template],
    );
    for (const { data } of await secretsOf(spec.name)) {
      const release = Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64');
      const { gunzipSync } = await import('node:zlib');
      assert.doesNotMatch(gunzipSync(release).toString(), /very-s3cret|dmVyeS1zM2NyZXQ/);
    }
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    assert.deepEqual(await secretsOf(spec.name), []);
  });

  it('an upgrade that the cluster refuses is taken back, and says why', async () => {
    const spec = t.spec({ command: shell(idle) });
    await t.apply(spec);
    const before = await t.until(spec.name, 'Ready');
    const wrong = {
      ...spec,
      template: { ...spec.template, resources: { memoryLimit: 1 << 20, memoryRequest: 2 << 20 } },
    };
    await assert.rejects(t.apply(wrong), (error: Error) => {
      assert.match(error.message, /must be less than or equal to memory limit/);
      return (error as { code?: string }).code === 'invalid_workload';
    });
    const now = await runtime.get(spec.name);
    assert.deepEqual([now?.template, now?.status.startedAt], [before.template, before.status.startedAt]);
    assert.equal(await statusOf(spec.name), 'deployed');
    // Where nothing was, nothing stays.
    const never = { ...wrong, name: 'never-was' };
    await assert.rejects(t.apply(never), /must be less than or equal to memory limit/);
    assert.deepEqual(await secretsOf('never-was'), []);
    assert.equal(await runtime.get('never-was'), undefined);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('a quota of the namespace that is used up: said in its own words, and nothing stays', async () => {
    await made.quota('instances', { 'count/deployments.apps': '0' });
    const spec = t.spec({ command: shell(idle) });
    await assert.rejects(t.apply(spec), (error: Error) => {
      assert.match(error.message, /The quota "instances" is used up: it allows count\/deployments\.apps=0/);
      return (error as { code?: string }).code === 'quota_exceeded';
    });
    assert.deepEqual(await secretsOf(spec.name), []);
    const path = `/api/v1/namespaces/${made.namespace}/resourcequotas/instances`;
    await made.api.json({ method: 'DELETE', path, signal: t.signal });
  });

  it('a helm that was killed midway: the next change takes back what it left', async () => {
    const spec = t.spec({ command: shell(idle) });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    for (const status of ['pending-upgrade', 'pending-install']) {
      // What such a helm leaves: a release that says that somebody is at it.
      const last = (await secretsOf(spec.name))
        .toSorted((a, b) => Number(a.metadata.labels.version) - Number(b.metadata.labels.version))
        .at(-1);
      assert.ok(last);
      await leavePending(last, status);
      assert.equal(await statusOf(spec.name), status);
      await t.apply({ ...spec, annotations: { after: status } });
      const { annotations } = await t.until(spec.name, ({ status: { phase } }) => phase === 'Ready');
      assert.deepEqual([annotations, await statusOf(spec.name)], [{ after: status }, 'deployed']);
    }
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  async function leavePending({ metadata, data }: ReleaseSecret, status: string): Promise<void> {
    const { gunzipSync, gzipSync } = await import('node:zlib');
    const stored = JSON.parse(
      gunzipSync(Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64')).toString(),
    ) as {
      version: number;
      info: { status: string };
    };
    const next = { ...stored, version: stored.version + 1, info: { ...stored.info, status } };
    const release = Buffer.from(gzipSync(JSON.stringify(next)).toString('base64')).toString('base64');
    const name = metadata.name.replace(/\d+$/, String(next.version));
    const labels = { ...metadata.labels, status, version: String(next.version) };
    const body = { metadata: { name, labels }, type: 'helm.sh/release.v1', data: { release } };
    const path = `/api/v1/namespaces/${made.namespace}/secrets`;
    await made.api.json({ method: 'POST', path, body, signal: t.signal });
  }

  it('deleted with kubectl, and asked for again: it is there again', async () => {
    const spec = t.spec({ command: shell(idle) });
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    const path = `/apis/apps/v1/namespaces/${made.namespace}/deployments/${spec.name}`;
    await made.api.json({ method: 'DELETE', path, signal: t.signal });
    await t.gone(spec.name);
    await t.apply(spec);
    await t.until(spec.name, 'Ready');
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('what was made without Helm stays what it is, and a name too long for a release is refused', async () => {
    const byApi = await made.start();
    const spec = t.spec({ command: shell(idle) });
    await byApi.apply(spec, { signal: t.signal });
    await t.apply({ ...spec, annotations: { changed: 'yes' } });
    assert.deepEqual((await runtime.get(spec.name))?.annotations, { changed: 'yes' });
    assert.deepEqual(await secretsOf(spec.name), []);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    assert.equal(await runtime.get(spec.name), undefined);
    await assert.rejects(t.apply({ ...spec, name: `x${'y'.repeat(53)}` }), /53 characters of a release/);
  });
});
