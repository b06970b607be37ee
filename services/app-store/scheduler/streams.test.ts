import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { workloadNameOf } from './model.ts';
import type { presentInstance } from './present.ts';
import { formatEvent, withHeartbeat } from './sse.ts';
import { people, startTestScheduler, type TestScheduler } from './testing.ts';

type Json = ReturnType<typeof presentInstance>;
const { owner, other } = people;

interface Event {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads SSE as a browser does; comments are given as events named `comment`. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  assert.equal(response.status, 200);
  assert.ok(response.body);
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').map((line): [string, string] => {
        const at = line.indexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)];
      });
      if (block.startsWith('retry:')) continue;
      const all = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value);
      const comment = block.startsWith(':');
      yield {
        event: comment ? 'comment' : (all('event')[0] ?? 'message'),
        id: all('id')[0],
        data: comment ? block : all('data').join('\n'),
      };
    }
  }
}

async function take(events: AsyncGenerator<Event>, count: number): Promise<Event[]> {
  const taken: Event[] = [];
  while (taken.length < count) {
    const next = await events.next();
    assert.ok(!next.done, `the stream ended after ${taken.length} events`);
    if (next.value.event !== 'comment') taken.push(next.value);
  }
  return taken;
}
const stateOf = (event: Event | undefined): string => (JSON.parse(event?.data ?? '{}') as Json).status;
const sse = { accept: 'text/event-stream' };

const follow = (t: TestScheduler, id: string, lastId?: string) =>
  t.as(owner, `/api/v1/instances/${id}/events`, {
    headers: { ...sse, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
  });

test('the events of an instance begin with its state, follow each change and end with it', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const events = eventsOf(await follow(t, id));
  assert.equal(stateOf((await take(events, 1))[0]), 'PENDING');
  t.runtime.become(workloadNameOf(id), { phase: 'Running', startedAt: new Date().toISOString() });
  assert.equal(stateOf((await take(events, 1))[0]), 'STARTING');
  t.runtime.become(workloadNameOf(id), { phase: 'Ready' });
  assert.equal(stateOf((await take(events, 1))[0]), 'DEPLOYED');
  await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' });
  assert.equal((await take(events, 1))[0]?.event, 'end');
  assert.ok((await events.next()).done);
});

test('who comes back with the last id is told only what is new', async () => {
  await using t = await startTestScheduler({ intervals: { heartbeatMs: 20 } });
  const id = await t.run(owner);
  const first = eventsOf(await follow(t, id));
  const [known] = await take(first, 1);
  await first.return(undefined);
  const again = eventsOf(await follow(t, id, known?.id));
  assert.equal((await again.next()).value?.event, 'comment', 'a heartbeat, and no state');
  t.runtime.become(workloadNameOf(id), { phase: 'Running', startedAt: new Date().toISOString() });
  assert.equal(stateOf((await take(again, 1))[0]), 'STARTING');
  await again.return(undefined);
});

test('when the platform stops, the events break off without a word of an end, so that readers come back', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const events = eventsOf(await follow(t, id));
  await take(events, 1);
  t.scheduler.stop();
  assert.ok((await events.next()).done);
});

test('events end for a reader who may no longer see the instance', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner, { visibility: 'ALL_USERS' });
  const events = eventsOf(await t.as(other, `/api/v1/instances/${id}/events`));
  await take(events, 1);
  await t.as(owner, `/api/v1/instances/${id}`, { method: 'PATCH', json: { visibility: 'PRIVATE' } });
  assert.equal((await take(events, 1))[0]?.event, 'end');
});

test('a stream outlives its token, and ends when the person is disabled', async () => {
  await using t = await startTestScheduler({ intervals: { leaseCheckMs: 20, heartbeatMs: 20 } });
  const id = await t.run(owner);
  const expired = { ...owner, expiresAt: Math.floor(Date.now() / 1000) - 1 };
  const events = eventsOf(await t.as(expired, `/api/v1/instances/${id}/events`));
  const logs = eventsOf(await t.as(expired, `/api/v1/instances/${id}/logs?follow=true`, { headers: sse }));
  await take(events, 1);
  for (let beats = 0; beats < 5; beats += 1) assert.equal((await events.next()).value?.event, 'comment');
  const person = t.identity.people.get(owner.subject);
  assert.ok(person);
  t.identity.people.set(owner.subject, { ...person, disabled: true });
  assert.equal((await take(events, 1))[0]?.event, 'end');
  for await (const event of logs) assert.notEqual(event.event, 'message');
});

const printed = (
  t: { runtime: { print(name: string, ...lines: string[]): void } },
  id: string,
  from: number,
  to: number,
) =>
  t.runtime.print(workloadNameOf(id), ...Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`));

test('logs are plain text, whole or the last lines, of this process or the one before', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  printed(t, id, 1, 3);
  const logs = async (query: string) => (await t.as(owner, `/api/v1/instances/${id}/logs${query}`)).text();
  assert.equal(await logs(''), 'line 1\nline 2\nline 3\n');
  assert.equal(await logs('?tail=1'), 'line 3\n');
  assert.equal(await logs('?tail=0'), '');
  t.runtime.restart(workloadNameOf(id));
  printed(t, id, 9, 9);
  assert.equal(await logs(''), 'line 9\n');
  assert.equal(await logs('?previous=true'), 'line 1\nline 2\nline 3\n');
});

test('followed logs go on as lines are written and end with the instance', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  printed(t, id, 1, 2);
  const events = eventsOf(await t.as(owner, `/api/v1/instances/${id}/logs?follow=true`, { headers: sse }));
  assert.deepEqual(
    (await take(events, 2)).map((e) => [e.id, e.data]),
    [
      ['1', 'line 1'],
      ['2', 'line 2'],
    ],
  );
  printed(t, id, 3, 3);
  assert.equal((await take(events, 1))[0]?.data, 'line 3');
  await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' });
  assert.equal((await take(events, 1))[0]?.event, 'end');
});

test('the log of a silent instance is answered at once and ends with the instance', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const response = await t.as(owner, `/api/v1/instances/${id}/logs?follow=true`);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  await t.as(owner, `/api/v1/instances/${id}`, { method: 'DELETE' });
  assert.equal(await response.text(), '');
});

test('a broken log connection resumes behind the last line that was read', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  printed(t, id, 1, 5);
  const resume = async (lastId: string, query = '') => {
    const headers = { ...sse, 'last-event-id': lastId };
    const response = await t.as(owner, `/api/v1/instances/${id}/logs${query}`, { headers });
    const lines: string[] = [];
    for await (const event of eventsOf(response)) if (event.event === 'message') lines.push(event.data);
    return lines;
  };
  assert.deepEqual(await resume('3'), ['line 4', 'line 5']);
  assert.deepEqual(await resume('5', '?tail=2'), [], 'the tail is for the first connection');
  assert.deepEqual(
    await resume('77'),
    ['line 1', 'line 2', 'line 3', 'line 4', 'line 5'],
    'a log that was cut',
  );
  t.runtime.restart(workloadNameOf(id));
  printed(t, id, 6, 9);
  assert.deepEqual(
    await resume('3'),
    ['line 6', 'line 7', 'line 8', 'line 9'],
    'the number is of another process',
  );
});

test('a line of a log cannot forge fields of the stream', () => {
  assert.equal(
    formatEvent({ id: '1', data: 'a\rdata: b\r\nevent: x\n\nid: 9' }),
    'id: 1\ndata: a\ndata: data: b\ndata: event: x\ndata: \ndata: id: 9\n\n',
  );
});

test('heartbeats come while nothing happens and swallow no line', async () => {
  const gate = Promise.withResolvers<void>();
  async function* source() {
    yield 'one';
    await gate.promise;
    yield 'two';
  }
  const seen: string[] = [];
  for await (const item of withHeartbeat(source(), { everyMs: 5, beat: '.' })) {
    seen.push(item);
    if (seen.length === 4) gate.resolve();
  }
  assert.deepEqual(seen.slice(0, 4), ['one', '.', '.', '.']);
  assert.deepEqual(
    seen.filter((item) => item !== '.'),
    ['one', 'two'],
  );
});

test('a reader who does not read makes the scheduler read no further', async () => {
  let asked = 0;
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const { logs } = t.runtime;
  const total = 200_000;
  t.runtime.logs = async function* (_name, { signal }) {
    for (; asked < total && !signal.aborted; asked += 1) yield 'x'.repeat(1000);
  };
  // A bare socket: fetch would buffer by itself.
  const { hostname, port } = new URL(t.url);
  const token = t.authorizationOf(owner);
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.write(`GET /api/v1/instances/${id}/logs HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  // Nothing tells that it stopped reading: it has when the count stands still.
  let before = -1;
  while (before !== asked) {
    before = asked;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(asked < total / 4, `${asked} lines were read ahead of a reader who takes none`);
  socket.destroy();
  t.runtime.logs = logs;
});
