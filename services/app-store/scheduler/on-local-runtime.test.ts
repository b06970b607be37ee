import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createLocalRuntime, type LocalRuntime } from '@haic/platform/runtime/local/runtime.ts';
import type { InstanceRoute } from './client.ts';
import { logger, people, startTestScheduler, type TestScheduler } from './testing.ts';

const { owner } = people;

/** In place of the launcher: answers its three addresses, is ready at once, and ends when its app's port is asked to. */
const launcher = `
const http = require('node:http');
const { readFileSync } = require('node:fs');
const config = JSON.parse(readFileSync(process.env.HAIC_LAUNCHER_CONFIG, 'utf8'));
console.log('starting ' + config.appName);
http.createServer((request, response) => {
  if (request.url !== '/status') return response.end('ok');
  response.end(JSON.stringify({ phase: 'ready', message: '', stages: [
    { name: 'installing', state: 'done', startedAt: '2026-01-01T10:00:00Z', finishedAt: '2026-01-01T10:00:04Z' },
  ] }));
}).listen(Number(process.env.HAIC_PORT_STATUS), '127.0.0.1');
http.createServer((request, response) => {
  if (request.url === '/crash') process.exit(7);
  response.end('hello from ' + config.instanceId);
}).listen(Number(process.env.HAIC_PORT_APP), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

/** As sandboxed as this machine allows, and as on one that allows nothing. */
async function startRuntime(isolation: 'auto' | 'none') {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-scheduler-'));
  await chmod(directory, 0o711);
  const node = path.resolve(path.dirname(process.execPath), '..');
  const runtime = await createLocalRuntime({
    stateDirectory: path.join(directory, 'runtime'),
    volumesDirectory: path.join(directory, 'volumes'),
    isolation,
    uids: { first: 64_000, count: 100 },
    cgroupName: path.basename(directory),
    images: { 'app-runtime': { env: {}, mounts: [{ hostPath: node, path: node, readOnly: true }] } },
    logger,
  });
  return {
    runtime,
    async [Symbol.asyncDispose]() {
      // Workloads outlive their runtime on purpose; those of a failed test must not.
      for (const { name } of await runtime.list({}))
        await runtime.remove(name, { volumes: 'delete', signal: AbortSignal.timeout(30_000) });
      await runtime.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const start = (runtime: LocalRuntime) =>
  startTestScheduler({
    runtime,
    launcher: { image: 'app-runtime', command: [process.execPath, '-e', launcher] },
    intervals: { progressMs: 50 },
  });

/** The route of an instance as soon as it is as asked. */
async function routeOf(t: TestScheduler, id: string, check: (route: InstanceRoute) => boolean) {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(30_000)]);
  for await (const event of t.scheduler.client.watchRoutes(signal)) {
    const routes = event.type === 'SNAPSHOT' ? event.routes : event.type === 'SET' ? [event.route] : [];
    const found = routes.find((route) => route.instanceId === id && check(route));
    if (found === undefined) continue;
    ended.abort();
    return found;
  }
  throw new Error('the instance did not become what was waited for');
}

const ask = (route: InstanceRoute, path: string) =>
  fetch(`http://${route.appEndpoint?.host}:${route.appEndpoint?.port}${path}`);

for (const isolation of ['auto', 'none'] as const) {
  test(`with isolation ${isolation} an instance runs, is reached at its route, logs, crashes, comes back, is paused and resumed, and ends without a trace`, async () => {
    await using local = await startRuntime(isolation);
    await using t = await start(local.runtime);
    const id = await t.run(owner);
    const ready = await routeOf(t, id, (route) => route.status === 'DEPLOYED');
    assert.equal(await (await ask(ready, '/')).text(), `hello from ${id}`);
    const logs = await (await t.as(owner, `/api/v1/instances/${id}/logs`)).text();
    assert.match(logs, /starting ai\.example\.hello/);

    await ask(ready, '/crash').catch(() => undefined);
    const failed = await routeOf(t, id, (route) => route.status !== 'DEPLOYED');
    assert.equal(failed.owner, owner.subject);
    const again = await routeOf(t, id, (route) => route.status === 'DEPLOYED');
    assert.equal(await (await ask(again, '/')).text(), `hello from ${id}`);
    type Status = { restartCount: number; exitCode: number };
    const status = (await (await t.as(owner, `/api/v1/instances/${id}/status`)).json()) as Status;
    assert.deepEqual([status.restartCount, status.exitCode], [1, 7]);

    const suspended = await t.as(owner, `/api/v1/instances/${id}/suspend`, { method: 'POST' });
    assert.equal(suspended.status, 200);
    const paused = await routeOf(t, id, (route) => route.reason === 'PausedByOwner');
    assert.deepEqual([paused.status, paused.appEndpoint], ['SUSPENDED', undefined]);
    await assert.rejects(ask(again, '/'));
    assert.equal((await t.as(owner, `/api/v1/instances/${id}/resume`, { method: 'POST' })).status, 200);
    const awake = await routeOf(t, id, (route) => route.status === 'DEPLOYED');
    assert.equal(await (await ask(awake, '/')).text(), `hello from ${id}`);

    assert.equal((await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await local.runtime.list({}), []);
    await assert.rejects(ask(awake, '/'));
  });
}

test('another scheduler, after a crash of the first, knows the instance and how its start went', async () => {
  await using local = await startRuntime('auto');
  let id: string;
  {
    await using first = await start(local.runtime);
    id = await first.run(owner);
    await routeOf(first, id, (route) => route.status === 'DEPLOYED');
  }
  await using second = await start(local.runtime);
  await routeOf(second, id, (route) => route.status === 'DEPLOYED');
  const events = await second.as(owner, `/api/v1/instances/${id}/events`);
  assert.ok(events.body);
  let text = '';
  for await (const chunk of events.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    // It asks the launcher that runs already, so that it can tell how long the next start will take.
    if (text.includes('"usualSeconds":4')) break;
  }
  assert.equal((await second.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
});
