import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startCommandLine } from './testing.ts';

const id = '22222222-2222-4222-8222-222222222222';
const line = (number: number, text: string) => `id: ${number}\ndata: ${text}\n\n`;
const state = (status: string, message = '') =>
  `event: instance\nid: x\ndata: ${JSON.stringify({ id, status, message })}\n\n`;

/** A store whose streams the test writes and breaks. Not a store: it only says what it is told to. */
async function startStreams() {
  const asked: (string | undefined)[] = [];
  const waiting: { logs: ((response: ServerResponse) => void)[]; events: ServerResponse[] } = {
    logs: [],
    events: [],
  };
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (request.url?.includes('/events')) {
      waiting.events.push(response);
      response.write(state('STARTING'));
      return;
    }
    asked.push(request.headers['last-event-id']?.toString());
    waiting.logs.shift()?.(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    waiting,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a followed log goes on behind the last line after a lost connection, and ends when the instance is paused', async () => {
  using store = await startStreams();
  await using cli = await startCommandLine(store.url, 'token');
  store.waiting.logs.push(
    (response) => response.write(line(1, 'one') + line(2, 'two'), () => response.destroy()),
    (response) => {
      response.write(line(3, 'three'));
      for (const events of store.waiting.events) events.write(state('SUSPENDED'));
    },
  );
  const { code, out, talk } = await cli.run('instance', 'logs', '-f', id);
  assert.equal(code, 0, talk);
  assert.equal(out, 'one\ntwo\nthree\n');
  assert.deepEqual(store.asked, [undefined, '2']);
  assert.match(talk, new RegExp(`instance resume ${id}`));
});

test('a followed log ends with the reason when the start fails, and carries numbers as JSON', async () => {
  using store = await startStreams();
  await using cli = await startCommandLine(store.url, 'token');
  store.waiting.logs.push((response) => {
    response.write(line(1, 'Traceback'));
    for (const events of store.waiting.events) events.write(state('FAILED', 'No module named x.'));
  });
  const { code, out, talk } = await cli.run('instance', 'logs', '-f', '--json', id);
  assert.equal(code, 0, talk);
  assert.deepEqual(JSON.parse(out), { number: 1, line: 'Traceback' });
  assert.match(talk, /It does not start: No module named x\./);
});
