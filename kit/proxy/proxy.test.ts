import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { forward } from './forward.ts';
import { readHead } from './head.ts';
import type { HeaderRules } from './headers.ts';
import {
  bodyOf,
  endOf,
  exchange,
  type Listening,
  listening,
  RawClient,
  serveHttp,
  serveRaw,
  statusOf,
} from './testing.ts';
import { responseOn, upgrade, wantsWebSocket } from './upgrade.ts';
import { createUpstream, type Upstream } from './upstream.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let app: Listening;
let proxy: Listening;
let upstream: Upstream;
let handle: Handler = echo;
let rules: HeaderRules = {};
const open = new Set<Listening>();

/** Answers what it received: the request line, the raw headers and the body. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('latin1');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, raw: request.rawHeaders, body }));
  });
}

function proxyTo(to: () => Upstream) {
  const server = createServer({ shouldUpgradeCallback: wantsWebSocket, keepAliveTimeout: 1000 });
  const onRequest: Handler = (request, response) => {
    const head = readHead(request);
    if ('refused' in head) {
      response.writeHead(400, { connection: 'close' }).end(head.refused);
      return;
    }
    forward(request, response, {
      upstream: to(),
      path: head.path,
      rules,
      failed: (failure) => response.writeHead(503).end(failure.kind),
    });
  };
  server.on('request', onRequest).on('checkContinue', onRequest);
  server.on('upgrade', (request, socket, head) => {
    upgrade(request, socket, head, {
      upstream: to(),
      path: request.url ?? '/',
      rules,
      failed: (failure) => responseOn(request, socket).writeHead(503).end(failure.kind),
    });
  });
  return listening(server);
}

before(async () => {
  app = await serveHttp((request, response) => handle(request, response));
  upstream = createUpstream({ host: '127.0.0.1', port: app.port });
  proxy = await proxyTo(() => upstream);
});

after(async () => {
  await proxy.close();
  await upstream.destroy();
  await app.close();
  for (const each of open) await each.close();
});

/** A proxy in front of a raw server, for one test. */
async function inFrontOf(server: Listening): Promise<Listening> {
  open.add(server);
  const to = createUpstream({ host: '127.0.0.1', port: server.port });
  const front = await proxyTo(() => to);
  const both = {
    port: front.port,
    close: async () => {
      await front.close();
      await to.destroy();
    },
  };
  open.add(both);
  return both;
}

const seen = (response: string) =>
  JSON.parse(bodyOf(response).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '')) as {
    method: string;
    url: string;
    raw: string[];
    body: string;
  };
const namesOf = (raw: readonly string[]) =>
  raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());

test('path, query, host and end-to-end headers pass as they are, duplicates included', async () => {
  const answer = await exchange(
    proxy.port,
    'GET /a%2Fb//c?x=1&x=%20 HTTP/1.1\r\nHost: Example.test:81\r\nX-Twice: 1\r\nx-twice: 2\r\nConnection: close\r\n\r\n',
  );
  const { url, raw } = seen(answer);
  assert.equal(url, '/a%2Fb//c?x=1&x=%20');
  assert.ok(raw.includes('Example.test:81'));
  assert.deepEqual(
    raw.filter((_, i) => raw[i - 1]?.toLowerCase() === 'x-twice'),
    ['1', '2'],
  );
});

test('hop-by-hop headers and those that Connection lists are dropped, but never the host', async () => {
  const answer = await exchange(
    proxy.port,
    'GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: x\r\nProxy-Connection: x\r\n' +
      'Proxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nX-Mine: 1\r\nX-Kept: 1\r\n' +
      'Connection: close, x-mine, Host, http2-settings\r\n\r\n',
  );
  assert.deepEqual(namesOf(seen(answer).raw).sort(), ['connection', 'host', 'x-kept']);
});

test('the rules may drop, change and add headers in both directions', async () => {
  rules = {
    request: (name, value) =>
      name.startsWith('x-secret') ? undefined : name === 'cookie' ? 'kept=1' : value,
    addToRequest: ['x-added', 'yes'],
    response: (name, value) => (name === 'set-cookie' && value.startsWith('bad') ? undefined : value),
    completeResponse: (headers) => headers.push('x-frame', 'none'),
  };
  handle = (request, response) => {
    response.setHeader('set-cookie', ['bad=1', 'good=1', 'good=2']);
    echo(request, response);
  };
  const answer = await exchange(
    proxy.port,
    'GET / HTTP/1.1\r\nHost: a\r\nCookie: platform=1\r\nX-Secret-1: a\r\nx-SECRET-2: b\r\nConnection: close\r\n\r\n',
  );
  handle = echo;
  rules = {};
  assert.deepEqual(namesOf(seen(answer).raw).sort(), ['connection', 'cookie', 'host', 'x-added']);
  assert.match(answer, /set-cookie: good=1\r\nset-cookie: good=2\r\n/);
  assert.doesNotMatch(answer, /bad=1/);
  assert.match(answer, /x-frame: none/);
});

test('a body arrives whole, whether it has a length or comes in chunks, and chunk extensions and trailers end here', async () => {
  const long = 'x'.repeat(300_000);
  const withLength = await exchange(
    proxy.port,
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${long.length}\r\n\r\n${long}`,
  );
  assert.equal(withLength.split('x'.repeat(300_000)).length, 2);
  const chunked = await exchange(
    proxy.port,
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '3;evil="1"\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n',
  );
  assert.equal(seen(chunked).body, 'abcde');
  assert.doesNotMatch(chunked, /X-T/i);
});

test('Expect: 100-continue is answered by the proxy, and only when the body is wanted', async () => {
  const client = new RawClient(proxy.port);
  client.send(
    'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n',
  );
  await client.until((text) => text.includes('100 Continue'));
  client.send('abc');
  const answer = await client.ended();
  assert.equal(seen(answer.slice(answer.indexOf('HTTP/1.1 200'))).body, 'abc');
});

const smuggling: Record<string, string> = {
  'Content-Length with Transfer-Encoding':
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two lengths': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd',
  'a list of lengths': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd',
  'a signed length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd',
  'two transfer encodings':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
  'chunked not last': 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
  'a disguised chunked': 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'chunked in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nHost: a\r\nX-A : 1\r\n\r\n',
  'a folded header': 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n',
  'bare line feeds': 'GET / HTTP/1.1\nHost: a\n\n',
  'a bare carriage return in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-B: 2\r\n\r\n',
  'a NUL in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\0\r\n\r\n',
  'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'no host': 'GET / HTTP/1.1\r\nX-A: 1\r\n\r\n',
  'no host in HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'a target of another host': 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'a target with user info': 'GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'a target that is no path': 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'a broken chunk size':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n',
  'a chunk longer than it says':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
  'headers without end': `GET / HTTP/1.1\r\nHost: a\r\n${'X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(2000)}\r\n`,
};

for (const [what, bytes] of Object.entries(smuggling)) {
  test(`a request with ${what} is refused and reaches no app whole`, async () => {
    let reached = 0;
    handle = (request, response) => {
      request.on('end', () => reached++);
      echo(request, response);
    };
    const answer = await exchange(proxy.port, bytes);
    handle = echo;
    assert.equal(reached, 0);
    assert.match(answer, /^HTTP\/1\.1 4\d\d |^$/);
  });
}

test('an absolute-form target of the same host is asked for by its path', async () => {
  const answer = await exchange(
    proxy.port,
    'GET http://A:1/x?y HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n',
  );
  assert.equal(seen(answer).url, '/x?y');
});

test('pipelined requests are answered in their order, each with its own headers', async () => {
  const answer = await exchange(
    proxy.port,
    'GET /1 HTTP/1.1\r\nHost: a\r\nX-Me: one\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const [first = '', second = ''] = answer.split('HTTP/1.1 200 OK').slice(1);
  assert.match(first, /"url":"\/1".*x-me/);
  assert.match(second, /"url":"\/2"/);
  assert.doesNotMatch(second, /x-me/);
});

test('a client that goes away frees the app, and an app that breaks off breaks the answer', async () => {
  const gone = Promise.withResolvers<void>();
  handle = (_request, response) => {
    response.write('begin');
    response.on('close', () => gone.resolve());
  };
  const client = new RawClient(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until((text) => text.includes('begin'));
  client.close();
  await gone.promise;

  handle = (_request, response) => {
    response.write('begin');
    setImmediate(() => response.destroy());
  };
  const cut = await exchange(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  handle = echo;
  assert.match(cut, /begin/);
  assert.doesNotMatch(cut, /\r\n0\r\n\r\n$/, 'the end of the body must be missing');
});

test('headers of an event stream arrive before its first event', async () => {
  let send: (() => void) | undefined;
  handle = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    send = () => response.end('data: 1\n\n');
  };
  const client = new RawClient(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.until((text) => text.includes('text/event-stream'));
  send?.();
  handle = echo;
  assert.match(await client.ended(), /data: 1/);
});

test('a client that reads slowly holds back the app instead of filling memory', async () => {
  const total = 64 * 1024 * 1024;
  let written = 0;
  handle = (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, 1);
    const more = () => {
      while (written < total) {
        written += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  };
  const client = new RawClient(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.until((text) => text.length > 0);
  client.socket.pause();
  // The app stops writing once every buffer on the way is full: wait until it made no progress for a while.
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(written < total / 2, `${written} bytes were taken from the app`);
  client.socket.resume();
  await client.ended();
  handle = echo;
  assert.ok(client.bytes >= total);
});

test('a refused upload is answered although the body was not read', async () => {
  handle = (_request, response) => response.writeHead(413).end('too large');
  const answer = await exchange(
    proxy.port,
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`,
  );
  handle = echo;
  assert.equal(statusOf(answer), 413);
  assert.match(answer, /too large/);
});

test('nobody listening is told apart from a broken answer', async () => {
  const closed = await serveRaw(() => {});
  await closed.close();
  const refused = await inFrontOf({ port: closed.port, close: async () => {} });
  assert.match(
    await exchange(refused.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    /unreachable/,
  );
  const nonsense = await inFrontOf(
    await serveRaw((socket) => socket.on('data', () => socket.end('nonsense\r\n\r\n'))),
  );
  assert.match(
    await exchange(nonsense.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    /broken/,
  );
  const both = await inFrontOf(
    await serveRaw((socket) =>
      socket.on('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      ),
    ),
  );
  assert.match(await exchange(both.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /broken/);
});

test('a kept-alive connection that the app closed in the meantime is not noticed by the client', async () => {
  let connections = 0;
  const server = await inFrontOf(
    await serveRaw((socket) => {
      connections++;
      let requests = 0;
      socket.on('data', () => {
        requests++;
        // The first connection answers once and drops the second request unanswered.
        if (connections === 1 && requests === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    }),
  );
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const client = new RawClient(server.port);
  client.send(request);
  await client.until((text) => text.endsWith('ok'));
  client.send(request);
  await client.until((text) => text.split('200 OK').length === 3);
  client.close();
  assert.equal(connections, 2);
});

const handshake =
  'GET /_s/?q=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGVzdA==\r\n' +
  'Sec-WebSocket-Version: 13\r\n\r\n';

/** Accepts the upgrade, then echoes every byte. */
const echoSocket = () =>
  serveRaw((socket) => {
    let text = '';
    let open = false;
    socket.on('data', (chunk) => {
      if (open) {
        socket.write(chunk);
        return;
      }
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      open = true;
      const head = text.slice(0, end);
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Saw: ${Buffer.from(head).toString('base64')}\r\n\r\n`,
      );
      socket.write(text.slice(end + 4), 'latin1');
    });
    socket.on('end', () => socket.end('bye'));
  });

test('a WebSocket is carried both ways, early bytes and half-close included', async () => {
  const server = await inFrontOf(await echoSocket());
  const client = new RawClient(server.port);
  client.send(`${handshake}early`);
  await client.until((text) => text.endsWith('early'));
  const saw = Buffer.from(/x-saw: (\S+)/i.exec(client.received)?.[1] ?? '', 'base64').toString();
  assert.match(saw, /^GET \/_s\/\?q=1 HTTP\/1\.1\r\n/);
  assert.match(saw, /sec-websocket-key: dGVzdA==/);
  assert.match(
    client.received,
    /^HTTP\/1\.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket/,
  );
  client.send('hello');
  await client.until((text) => text.endsWith('hello'));
  client.socket.end();
  assert.match(await client.ended(), /bye$/);
});

test('a refused upgrade is answered with what the app said', async () => {
  handle = (_request, response) => response.writeHead(403, { 'x-why': 'origin' }).end('no');
  const answer = await exchange(proxy.port, handshake);
  handle = echo;
  assert.equal(statusOf(answer), 403);
  assert.match(answer, /x-why: origin/);
  assert.match(answer, /connection: close/i);
  assert.match(answer, /no/);
});

test('an upgrade while nobody listens is answered by the caller', async () => {
  const closed = await serveRaw(() => {});
  await closed.close();
  const front = await inFrontOf({ port: closed.port, close: async () => {} });
  assert.match(await exchange(front.port, handshake), /^HTTP\/1\.1 503 [\s\S]*unreachable/);
});

test('when one end of a WebSocket goes, so does the other', async () => {
  const sockets: Socket[] = [];
  const server = await inFrontOf(
    await serveRaw((socket) => {
      sockets.push(socket);
      socket.on('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
      );
    }),
  );
  const first = new RawClient(server.port);
  first.send(handshake);
  await first.until((text) => text.endsWith('\r\n\r\n'));
  first.socket.resetAndDestroy();
  assert.ok(sockets[0]);
  await endOf(sockets[0]);
  const second = new RawClient(server.port);
  second.send(handshake);
  await second.until((text) => text.endsWith('\r\n\r\n'));
  sockets[1]?.resetAndDestroy();
  await second.ended();
});

test('a slow consumer of a WebSocket holds back the app', async () => {
  let written = 0;
  const server = await inFrontOf(
    await serveRaw((socket) => {
      const chunk = Buffer.alloc(64 * 1024, 1);
      const more = () => {
        while (written < 1024 * 1024 * 1024) {
          written += chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('drain', more);
        more();
      });
    }),
  );
  const client = new RawClient(server.port);
  client.send(handshake);
  await client.until((text) => text.length > 0);
  client.socket.pause();
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes were taken from the app`);
  client.close();
});
