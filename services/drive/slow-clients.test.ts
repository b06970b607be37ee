import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { ClientGone } from './client-gone.ts';
import { createDeadline, usualPatience } from './deadline.ts';
import { sendBytes } from './respond.ts';
import { type Keys, signerOf, startTestDrive, type TestDrive } from './testing.ts';

const mib = 1024 ** 2;
const large = 32 * mib;

describe('a slow client', () => {
  let haic: TestDrive;
  let ada: Keys;
  /** What the store was asked for and gives. */
  const contents = new Set<Readable>();
  let storeWaits: Promise<void> | undefined;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore, {
      // A large object may take three seconds, a small one two.
      patience: { baseMs: 2_000, slowestBytesPerSecond: large, headMs: 3_000, idleMs: 60_000 },
      wrap: (blobs) => ({
        ...blobs,
        get: async (key, options) => {
          const found = await blobs.get(key, options);
          if (found !== undefined) contents.add(found.content);
          return found;
        },
        put: async (key, content, options) => {
          await storeWaits;
          return blobs.put(key, content, options);
        },
      }),
    });
    ada = await haic.keysOf('ada');
    const body = Buffer.alloc(large, 'haic');
    assert.equal((await haic.ask(ada, { method: 'PUT', path: '/_my/large', body })).status, 200);
  });
  after(() => haic.stop());

  async function headOf(method: string, path: string, more = ''): Promise<string> {
    const { headers } = await signerOf(ada).sign({
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: haic.port,
      path,
      query: {},
      headers: { host: `127.0.0.1:${haic.port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}${more}\r\n`;
  }

  async function connected(): Promise<Socket> {
    const socket = connect(haic.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  it('that sends a byte now and then is told that its time is over, and leaves nothing', async () => {
    const socket = await connected();
    const said = textOf(socket);
    socket.write(await headOf('PUT', '/_my/slow', 'content-length: 1000\r\n'));
    const sending = setInterval(() => socket.write('x'), 100);
    const answer = await said.including('</Error>');
    clearInterval(sending);
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout</);
    assert.equal((await haic.ask(ada, { path: '/_my/slow' })).code, 'NoSuchKey');
    assert.equal((await haic.drive.usage.usageOf('drive/people/ada/')).bytes, large);
  });

  it('that does not read is cut off, and a hundred of them hold a small part of what they asked for', async () => {
    contents.clear();
    const before = process.memoryUsage().arrayBuffers;
    const request = await headOf('GET', '/_my/large');
    const sockets = await Promise.all(Array.from({ length: 100 }, connected));
    const closed = sockets.map((socket) => {
      socket.pause();
      socket.write(request);
      return once(socket, 'close');
    });
    await until(() => contents.size === 100);
    let most = 0;
    await until(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      return [...contents].every((content) => content.destroyed);
    });
    assert.ok(most < 200 * mib, `${Math.round(most / mib)} MiB of ${(large / mib) * 100}`);
    for (const socket of sockets) socket.resume();
    await Promise.all(closed);
    for (const socket of sockets) assert.ok(socket.bytesRead < large, 'it did not get all of it');
  });

  it('that says nothing at all is cut off, thousands of them at once, and holds nobody up', async () => {
    const sockets = await Promise.all(Array.from({ length: 2_000 }, connected));
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    assert.equal((await haic.ask(ada, { method: 'HEAD', path: '/_my/large' })).status, 200);
    await Promise.all(closed);
  });

  it('is what a client becomes whose bytes the store does not take yet: they wait on its side', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    storeWaits = promise;
    let taken = 0;
    const chunk = Buffer.alloc(mib, 'haic');
    const body = Readable.from(
      (function* () {
        for (; taken < 64; taken += 1) yield chunk;
      })(),
      { highWaterMark: 1 },
    );
    const headers = { 'content-length': String(64 * mib) };
    const putting = haic.ask(ada, { method: 'PUT', path: '/_my/waits', body, headers });
    let last = -1;
    // No more was taken for a while.
    await until(() => {
      const isStill = taken > 0 && taken === last;
      last = taken;
      return isStill;
    }, 500);
    assert.ok(taken < 32, `${taken} of 64 MiB were taken`);
    resolve();
    storeWaits = undefined;
    assert.equal((await putting).status, 200);
  });
});

it('an answer ends at once when its client is gone by then', async () => {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const { signal, end } = createDeadline(response, usualPatience);
  response.destroy();
  await once(response, 'close');
  await assert.rejects(sendBytes({ response, signal }, Buffer.from('too late')), ClientGone);
  end();
});

function textOf(socket: Socket): { including(part: string): Promise<string> } {
  let said = '';
  socket.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  return {
    including: async (part) => {
      await until(() => said.includes(part));
      return said;
    },
  };
}

async function until(check: () => boolean, everyMs = 20): Promise<void> {
  const end = Date.now() + 60_000;
  while (!check()) {
    if (Date.now() > end) throw new Error('It did not come to pass.');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
