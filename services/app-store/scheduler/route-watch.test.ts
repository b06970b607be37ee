import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createHttpSchedulerClient, type RouteEvent } from './client.ts';
import { workloadNameOf } from './model.ts';
import { logger, people, startTestScheduler, type TestScheduler } from './testing.ts';

const { owner, router } = people;

/** The client as the router uses it, with a token that the test's server knows. */
function clientOf(t: TestScheduler) {
  return createHttpSchedulerClient({
    baseUrl: 'http://core',
    fetch: (url, init) => t.as(router, new URL(url).pathname, { ...init, headers: {} }),
    token: async () => 'replaced by the helper',
    logger,
  });
}

async function next(events: AsyncIterator<RouteEvent>): Promise<RouteEvent> {
  const result = await events.next();
  assert.ok(!result.done, 'the watch ended');
  return result.value;
}

test('the router sees all routes first, then each change, over HTTP and in memory alike', async () => {
  await using t = await startTestScheduler();
  const first = await t.run(owner);
  for (const client of [clientOf(t), t.scheduler.client]) {
    const ended = new AbortController();
    const events = client.watchRoutes(ended.signal)[Symbol.asyncIterator]();
    const snapshot = await next(events);
    assert.equal(snapshot.type, 'SNAPSHOT');
    assert.deepEqual(snapshot.type === 'SNAPSHOT' && snapshot.routes.map((r) => r.instanceId), [first]);

    const id = await t.run(owner);
    const added = await next(events);
    assert.ok(added.type === 'SET' && added.route.instanceId === id && added.route.status === 'PENDING');
    const endpoints = { status: { host: '127.0.0.1', port: 1 }, app: { host: '127.0.0.1', port: 2 } };
    t.runtime.become(workloadNameOf(id), { phase: 'Ready', endpoints, startedAt: new Date().toISOString() });
    const ready = await next(events);
    assert.ok(ready.type === 'SET' && ready.route.status === 'DEPLOYED');
    assert.deepEqual(ready.route.appEndpoint, { host: '127.0.0.1', port: 2 });

    await t.as(owner, `/api/v1/instances/${id}`, { method: 'PATCH', json: { visibility: 'PUBLIC' } });
    const shared = await next(events);
    assert.ok(shared.type === 'SET' && shared.route.visibility === 'PUBLIC');

    await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' });
    assert.deepEqual(await next(events), { type: 'REMOVE', instanceId: id });
    const end = events.next();
    ended.abort();
    assert.equal((await end).done, true, 'it ends without an error');
  }
});

test('a quiet stream gives signs of life', async () => {
  await using t = await startTestScheduler({ intervals: { routePingMs: 10 } });
  const ended = new AbortController();
  const response = await t.as(router, '/internal/routes', { signal: ended.signal });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  let text = '';
  assert.ok(response.body);
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split('PING').length > 5) break;
  }
  ended.abort();
  assert.match(text, /"SNAPSHOT"/);
});

/** A scheduler of the test's own making, to break off as one likes. */
async function startStream(answer: (response: ServerResponse, count: number) => void) {
  let count = 0;
  const server: Server = createServer((_request, response) => {
    count += 1;
    answer(response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createHttpSchedulerClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fetch,
    token: async () => 'x',
    logger,
    heartbeatDeadlineMs: 100,
  });
  return {
    client,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
const snapshot = '{"type":"SNAPSHOT","routes":[]}\n';

for (const [what, answer] of [
  ['the connection breaks', (r: ServerResponse) => void r.write(snapshot, () => r.destroy())],
  ['the stream falls silent', (r: ServerResponse) => void r.write(snapshot)],
  ['the scheduler goes in good order', (r: ServerResponse) => void r.end(snapshot)],
] as const) {
  test(`when ${what}, the client connects again and starts from a snapshot`, async () => {
    const stream = await startStream(answer);
    const ended = new AbortController();
    const events = stream.client.watchRoutes(ended.signal)[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i += 1) assert.equal((await next(events)).type, 'SNAPSHOT');
    const end = events.next();
    ended.abort();
    assert.equal((await end).done, true);
    stream.stop();
  });
}

test('refusals, garbage and changes without a snapshot never become routes', async () => {
  const answers = [
    (r: ServerResponse) => r.writeHead(503).end('{"code":"x","detail":"y"}'),
    (r: ServerResponse) => r.end('<html>\n'),
    (r: ServerResponse) => r.end('{"type":"REMOVE","instanceId":"x"}\n'),
    (r: ServerResponse) => r.write(`{"type":"PING"}\n${snapshot}`),
  ];
  const stream = await startStream(
    (response, count) => void answers[Math.min(count, answers.length) - 1]?.(response),
  );
  const ended = new AbortController();
  const events = stream.client.watchRoutes(ended.signal)[Symbol.asyncIterator]();
  assert.deepEqual(await next(events), { type: 'SNAPSHOT', routes: [] });
  ended.abort();
  stream.stop();
});
