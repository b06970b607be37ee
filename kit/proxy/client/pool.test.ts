import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { type Listening, serveRaw } from '../testing.ts';
import type { ConnectionFailure } from './connection.ts';
import { ConnectionPool, type Sending } from './pool.ts';
import { UnsendableRequest } from './request-head.ts';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly failure: ConnectionFailure | undefined;
}

const open: { close(): Promise<void> }[] = [];
after(async () => {
  for (const each of open) await each.close();
});

/** A server of raw sockets, and a pool of connections to it. */
async function inFrontOf(handler: (socket: Socket, connection: number) => void, headersTimeoutMs = 10_000) {
  let connections = 0;
  const server: Listening = await serveRaw((socket) => handler(socket, ++connections));
  const pool = new ConnectionPool({ host: '127.0.0.1', port: server.port }, { headersTimeoutMs });
  open.push({
    close: async () => {
      await pool.destroy();
      await server.close();
    },
  });
  return { pool, connections: () => connections };
}

interface Asked {
  readonly answer: Promise<Answer>;
  readonly sending: Sending;
}

function begin(
  pool: ConnectionPool,
  method = 'GET',
  hasBody = false,
  headers: readonly string[] = [],
): Asked {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let status: number | undefined;
  let body = '';
  const sending = pool.send(
    { method, path: '/', headers: ['host', 'a', ...headers], hasBody },
    {
      head: (head) => {
        status = head.status;
      },
      data: (bytes, from, to) => {
        body += bytes.toString('latin1', from, to);
      },
      packetEnded: () => {},
      drained: () => {},
      ended: () => resolve({ status, body, failure: undefined }),
      failed: (failure) => resolve({ status, body, failure }),
    },
    { fresh: false },
  );
  return { answer: promise, sending };
}

const ask = (pool: ConnectionPool, method = 'GET') => begin(pool, method).answer;

const ok = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

/** Answers each request on a connection, by its number there. */
const answering =
  (answer: (request: number, connection: number) => string) => (socket: Socket, connection: number) => {
    let requests = 0;
    socket.on('data', () => socket.write(answer(++requests, connection), 'latin1'));
    socket.on('end', () => socket.end());
  };

test('requests one after the other share a connection, requests at once do not', async () => {
  const { pool, connections } = await inFrontOf(
    answering((request, connection) => ok(`${connection}.${request}`)),
  );
  assert.equal((await ask(pool)).body, '1.1');
  assert.equal((await ask(pool)).body, '1.2');
  const both = await Promise.all([ask(pool), ask(pool)]);
  assert.deepEqual(both.map(({ body }) => body).sort(), ['1.3', '2.1']);
  assert.equal(connections(), 2);
});

const poison = ok('poison');
const leftovers: Record<string, readonly [answer: string, method: string]> = {
  'a second answer': [ok('1') + poison, 'GET'],
  'one byte more': [`${ok('1')}\n`, 'GET'],
  'a body after an answer to HEAD': [ok('1').replace('\r\n\r\n', '\r\n\r\nHTTP/1.1 200 OK\r\n'), 'HEAD'],
  'a body after 204': [`HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\n${poison}`, 'GET'],
  'a body after 304': [`HTTP/1.1 304 Not Modified\r\n\r\n${poison}`, 'GET'],
  'a second answer after chunks': [
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n${poison}`,
    'GET',
  ],
  'the wish to close': [ok('1', 'Connection: close\r\n'), 'GET'],
  'the wish to close soon': [ok('1', 'Keep-Alive: timeout=1\r\n'), 'GET'],
  'a body until the end of an old protocol': ['HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1', 'GET'],
};

for (const [what, [answer, method]] of Object.entries(leftovers)) {
  test(`a connection whose answer came with ${what} is not used again`, async () => {
    const { pool, connections } = await inFrontOf(
      answering((_request, connection) => (connection === 1 ? answer : ok('clean'))),
    );
    assert.equal((await ask(pool, method)).failure, undefined);
    assert.deepEqual(await ask(pool), { status: 200, body: 'clean', failure: undefined });
    assert.equal(connections(), 2);
  });
}

test('what comes while nobody asks is no answer to whoever asks next', async () => {
  const poisoned = Promise.withResolvers<void>();
  const { pool, connections } = await inFrontOf((socket, connection) => {
    socket.on('data', () => socket.write(ok(connection === 1 ? 'first' : 'clean')));
    socket.on('end', () => socket.end()).on('close', () => connection === 1 && poisoned.resolve());
    if (connection === 1) socket.once('data', () => setTimeout(() => socket.write(poison), 50));
  });
  assert.equal((await ask(pool)).body, 'first');
  await poisoned.promise;
  assert.equal((await ask(pool)).body, 'clean');
  assert.equal(connections(), 2);
});

test('an answer before all of the body was sent is the answer, and the connection is not used again', async () => {
  const { pool, connections } = await inFrontOf(answering((_request, connection) => ok(String(connection))));
  const { answer, sending } = begin(pool, 'POST', true, ['content-length', '10']);
  sending.connection.write(Buffer.from('12345'), sending);
  assert.equal((await answer).body, '1');
  assert.equal((await ask(pool)).body, '2');
  assert.equal(connections(), 2);
});

test('a body without a length is sent in chunks, and its connection is used again', async () => {
  let received = '';
  const { pool, connections } = await inFrontOf((socket) =>
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('0\r\n\r\n') || received.startsWith('GET')) socket.write(ok('thanks'));
    }),
  );
  const { answer, sending } = begin(pool, 'POST', true);
  sending.connection.write(Buffer.from('0123456789'), sending);
  sending.connection.end(sending);
  assert.equal((await answer).body, 'thanks');
  assert.match(
    received,
    /^POST \/ HTTP\/1\.1\r\n[\s\S]*transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n$/,
  );
  received = '';
  assert.equal((await ask(pool)).body, 'thanks');
  assert.equal(connections(), 1);
});

test('a method that usually has a body says when it has none', async () => {
  let received = '';
  const { pool } = await inFrontOf((socket) =>
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      socket.write(ok(''));
    }),
  );
  await ask(pool, 'POST');
  assert.match(received, /\r\ncontent-length: 0\r\n\r\n$/);
});

test('only the loss of a connection that was used before, and brought nothing now, is called stale', async () => {
  const dropped = await inFrontOf((socket) => socket.on('data', () => socket.destroy()));
  const fresh = (await ask(dropped.pool)).failure;
  assert.deepEqual([fresh?.kind, fresh?.stale], ['broken', false]);

  const second = (said: string) =>
    inFrontOf((socket) => {
      let requests = 0;
      socket.on('data', () => (++requests === 1 ? socket.write(ok('1')) : socket.end(said)));
    });
  const silent = await second('');
  await ask(silent.pool);
  assert.equal((await ask(silent.pool)).failure?.stale, true);
  const begun = await second('HTTP/1.1 2');
  await ask(begun.pool);
  assert.equal((await ask(begun.pool)).failure?.stale, false);
});

test('an answer that ends too early has failed, and says so after what came of it', async () => {
  const { pool } = await inFrontOf((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')),
  );
  const { status, body, failure } = await ask(pool);
  assert.deepEqual([status, body, failure?.kind], [200, 'abc', 'broken']);
});

test('who does not answer in time has failed; who streams has not', async () => {
  const { pool } = await inFrontOf((socket) => socket.on('data', () => {}), 100);
  assert.equal((await ask(pool)).failure?.kind, 'timeout');
  const streaming = await inFrontOf((socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nslowly');
      setTimeout(() => socket.end(), 1500);
    });
  }, 100);
  assert.deepEqual(await ask(streaming.pool), { status: 200, body: 'slowly', failure: undefined });
});

test('a connection that nobody needed for as long as it may be kept is closed', async () => {
  const closed = Promise.withResolvers<void>();
  const { pool } = await inFrontOf((socket) => {
    socket.on('data', () => socket.write(ok('1', 'Keep-Alive: timeout=3\r\n')));
    socket.on('end', () => closed.resolve());
  });
  await ask(pool);
  await closed.promise;
});

test('a pool that is closed lets requests under way finish and takes no new ones', async () => {
  const asked = Promise.withResolvers<Socket>();
  const { pool } = await inFrontOf((socket) => socket.on('data', () => asked.resolve(socket)));
  const answer = ask(pool);
  const socket = await asked.promise;
  const closed = pool.close();
  assert.throws(() => begin(pool), { kind: 'unreachable' });
  const ended = once(socket, 'end');
  socket.write(ok('late'));
  assert.equal((await answer).body, 'late');
  await closed;
  await ended;
});

test('a pool that is destroyed ends requests under way', async () => {
  const asked = Promise.withResolvers<void>();
  const { pool } = await inFrontOf((socket) => socket.on('data', () => asked.resolve()));
  const answer = ask(pool);
  await asked.promise;
  await pool.destroy();
  assert.equal((await answer).failure?.kind, 'unreachable');
});

test('a request that would be read as something else is not sent', async () => {
  const { pool, connections } = await inFrontOf(answering(() => ok('1')));
  const call = { head() {}, data() {}, packetEnded() {}, drained() {}, ended() {}, failed() {} };
  const sound = { method: 'GET', path: '/', headers: ['host', 'a'], hasBody: false };
  for (const wrong of [
    { method: 'GET / HTTP/1.1\r\nX: ' },
    { path: '/ HTTP/1.1\r\nX: ' },
    { path: '*' },
    { path: '/\n' },
    // As Latin-1 these would become a line break.
    { path: '/\u010a' },
    { headers: ['x-a', '1\r\nx-b: 2'] },
    { headers: ['x-a', '1\u010a'] },
    { headers: ['x-a', '\0'] },
    { headers: ['x a', '1'] },
    { headers: ['', '1'] },
  ])
    assert.throws(() => pool.send({ ...sound, ...wrong }, call, { fresh: false }), UnsendableRequest);
  assert.equal(connections(), 0);
});

test('an answer that was held back at its last piece holds up nothing: the next request is answered', async () => {
  const { pool, connections } = await inFrontOf(answering((request) => ok(String(request))));
  const ended = Promise.withResolvers<void>();
  const first = pool.send(
    { method: 'GET', path: '/', headers: ['host', 'a'], hasBody: false },
    {
      head: () => {},
      // As for a client that does not keep up.
      data: () => first.connection.pause(),
      packetEnded: () => {},
      drained: () => {},
      ended: ended.resolve,
      failed: ended.reject,
    },
    { fresh: false },
  );
  await ended.promise;
  assert.equal((await ask(pool)).body, '2');
  assert.equal(connections(), 1);
});
