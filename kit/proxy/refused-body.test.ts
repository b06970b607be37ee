import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { forward } from './forward.ts';
import { listening } from './testing.ts';
import { createUpstream, type Target } from './upstream.ts';

const folder = await mkdtemp(join(tmpdir(), 'refused-body-'));
const agent = new Agent({ keepAlive: true });

after(async () => {
  agent.destroy();
  await rm(folder, { recursive: true });
});

/** Answers as soon as a request begins, then closes: the rest of the body meets a closed connection. */
const refusesEarly = (): Server =>
  createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large');
      socket.destroySoon();
    });
  });

/** Closes as soon as a request begins, and says nothing. */
const closesEarly = (): Server =>
  createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });

async function throughProxy(server: Server, at: 'tcp' | 'unix', rounds: number): Promise<string[]> {
  if (at === 'unix') server.listen(join(folder, 'server.sock'));
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target: Target =
    at === 'unix'
      ? { socketPath: join(folder, 'server.sock') }
      : { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const upstream = createUpstream(target);
  const proxy = await listening(
    createServer((incoming, response) =>
      forward(incoming, response, {
        upstream,
        path: '/',
        rules: {},
        failed: (failure) => response.writeHead(503).end(failure.kind),
      }),
    ),
  );
  const answers: string[] = [];
  for (let round = 0; round < rounds; round++) answers.push(await sendInPieces(proxy.port));
  await proxy.close();
  await upstream.destroy();
  server.close();
  return answers;
}

/** Sends 900 kB, a piece each turn of the event loop: some of them are written after the other side closed. */
function sendInPieces(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': 900_000 };
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on('error', reject);
    const piece = Buffer.alloc(90_000, 'x');
    let pieces = 0;
    const more = () => {
      if (pieces++ === 10) {
        sent.end();
        return;
      }
      sent.write(piece);
      setImmediate(more);
    };
    more();
  });
}

for (const at of ['tcp', 'unix'] as const) {
  test(`over ${at}, the answer of a server that refuses a body before it was all sent is passed on`, async () => {
    const answers = await throughProxy(refusesEarly(), at, 25);
    assert.deepEqual([...new Set(answers)], ['413 too large']);
  });

  test(`over ${at}, a server that closes without a word while a body is sent gave no answer`, async () => {
    const answers = await throughProxy(closesEarly(), at, 3);
    assert.deepEqual([...new Set(answers)], ['503 broken']);
  });
}
