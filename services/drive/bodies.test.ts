import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { unavailable } from '@haic/kit/errors.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { type Keys, signerOf, startTestDrive, type TestDrive } from './testing.ts';

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

describe('a body', () => {
  let haic: TestDrive;
  let ada: Keys;
  let storeFails: Error | undefined;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore, {
      quota: 1_000_000,
      wrap: (blobs) => ({
        ...blobs,
        put: async (key, content, options) => {
          const failure = storeFails;
          if (failure === undefined) return blobs.put(key, content, options);
          // In the middle of it.
          for await (const _piece of content) break;
          throw failure;
        },
      }),
    });
    ada = await haic.keysOf('ada');
  });
  after(() => haic.stop());
  const path = '/_my/body';
  const put = (body: string | Buffer, headers: Record<string, string> = {}, target = path) =>
    haic.ask(ada, { method: 'PUT', path: target, body, headers });
  const kept = async () => (await haic.ask(ada, { path })).text;
  const isUntouched = async (answer: { code: string | undefined }, code: string) => {
    assert.equal(answer.code, code);
    assert.equal(await kept(), 'old');
    assert.equal((await haic.drive.usage.usageOf('drive/people/ada/')).bytes, 3);
  };

  it('that is not the one that was signed changes nothing', async () => {
    await put('old');
    await isUntouched(
      await put('new', { 'x-amz-content-sha256': sha256('other') }),
      'XAmzContentSHA256Mismatch',
    );
  });

  it('with another MD5 or checksum than the one given changes nothing', async () => {
    await put('old');
    const md5 = createHash('md5').update('other').digest('base64');
    await isUntouched(await put('new', { 'content-md5': md5 }), 'BadDigest');
    await isUntouched(await put('new', { 'content-md5': 'nonsense' }), 'InvalidDigest');
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32('other'));
    await isUntouched(await put('new', { 'x-amz-checksum-crc32': crc.toString('base64') }), 'BadDigest');
    await isUntouched(await put('new', { 'x-amz-checksum-crc32': 'AA' }), 'InvalidRequest');
    await isUntouched(await put('new', { 'x-amz-checksum-md4': 'AAAAAA==' }), 'InvalidRequest');
    crc.writeUInt32BE(crc32('new'));
    assert.equal((await put('new', { 'x-amz-checksum-crc32': crc.toString('base64') })).status, 200);
  });

  it('behind which another checksum comes than it has changes nothing', async () => {
    await put('old');
    const framed = (value: string) => `3\r\nnew\r\n0\r\nx-amz-checksum-crc32:${value}\r\n\r\n`;
    const headers = {
      'content-encoding': 'aws-chunked, gzip',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '3',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    await isUntouched(await put(framed('AAAAAA=='), headers), 'BadDigest');
    await isUntouched(await put(framed('AA'), headers), 'InvalidRequest');
    await isUntouched(await put('3\r\nnew\r\n0\r\n\r\n', headers), 'InvalidRequest');
    await isUntouched(await put('new', { 'content-encoding': 'aws-chunked' }), 'InvalidRequest');
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32('new'));
    assert.equal((await put(framed(crc.toString('base64')), headers)).status, 200);
    const got = await haic.ask(ada, { path });
    assert.equal(got.text, 'new');
    assert.equal(got.headers['content-encoding'], 'gzip', 'what was not about the way is kept');
  });

  it('without a length is refused, and so is one that is too long for one request', async () => {
    const { headers } = await signerOf(ada).sign({
      method: 'PUT',
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: haic.port,
      path,
      query: {},
      headers: { host: `127.0.0.1:${haic.port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const lines = (more: string) =>
      `PUT ${path} HTTP/1.1\r\n${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}${more}\r\n`;
    assert.match(
      await raw(lines('transfer-encoding: chunked\r\n')),
      /^HTTP\/1\.1 411 [\s\S]*MissingContentLength/,
    );
    assert.match(
      await raw(lines(`content-length: ${5 * 1024 ** 3 + 1}\r\n`)),
      /^HTTP\/1\.1 400 [\s\S]*EntityTooLarge/,
    );
  });

  it('that ends early changes nothing', async () => {
    await put('old');
    const { headers } = await signerOf(ada).sign({
      method: 'PUT',
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: haic.port,
      path,
      query: {},
      headers: { host: `127.0.0.1:${haic.port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const head = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    await cutOff(`PUT ${path} HTTP/1.1\r\n${head}content-length: 100\r\n\r\nnew and then nothing`);
    // The account is settled when the connection's end was noticed.
    await until(async () => (await haic.drive.usage.usageOf('drive/people/ada/')).bytes === 3);
    assert.equal(await kept(), 'old');
    assert.equal((await put('after')).status, 200);
  });

  it('is asked for only when nothing speaks against it', async () => {
    const expecting = async (keys: Keys | undefined, target: string, length: number) => {
      const base = { host: `127.0.0.1:${haic.port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
      const request = {
        method: 'PUT',
        protocol: 'http:',
        hostname: '127.0.0.1',
        port: haic.port,
        path: target,
        query: {},
        headers: base,
      };
      const { headers } = keys === undefined ? request : await signerOf(keys).sign(request);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return raw(
        `PUT ${target} HTTP/1.1\r\n${lines.join('')}expect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`,
        (said) => (said.startsWith('HTTP/1.1 100') ? 'x'.repeat(length) : undefined),
      );
    };
    assert.match(await expecting(ada, path, 10), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    assert.match(await expecting(undefined, path, 10), /^HTTP\/1\.1 403 /);
    assert.match(await expecting(ada, '/not-mine/x', 10), /^HTTP\/1\.1 404 /);
    assert.match(await expecting(ada, path, 2_000_000), /^HTTP\/1\.1 403 [\s\S]*QuotaExceeded/);
  });

  it('that the store fails on in the middle changes nothing, and the client is told what and when to try again', async () => {
    await put('old');
    for (const [error, status, code] of [
      [unavailable('storage_unavailable', 'The disk is away.'), 503, 'ServiceUnavailable'],
      [
        new (await import('@haic/kit/errors.ts')).HaicError('insufficient_storage', 507, 'The disk is full.'),
        507,
        'InsufficientStorage',
      ],
      [new Error('a bug'), 500, 'InternalError'],
    ] as const) {
      storeFails = error;
      const answer = await put(randomBytes(300_000));
      storeFails = undefined;
      assert.equal(answer.status, status);
      await isUntouched(answer, code);
      assert.doesNotMatch(answer.text, /a bug/);
    }
  });

  it('that a condition speaks against changes nothing, and the client is told though it has not been read', async () => {
    await put('old');
    await isUntouched(await put(randomBytes(300_000), { 'if-none-match': '*' }), 'PreconditionFailed');
    await isUntouched(await put(randomBytes(300_000), { 'if-match': '"another"' }), 'PreconditionFailed');
  });

  it('cannot be had back changed by a stranger: hostile types stay data', async () => {
    const html = '<script>alert(1)</script>';
    await put(html, { 'content-type': 'text/html' }, '/_my/page.html');
    const got = await haic.ask(ada, { path: '/_my/page.html' });
    assert.equal(got.headers['content-security-policy'], 'sandbox');
    assert.equal(got.headers['x-content-type-options'], 'nosniff');
    assert.equal(got.headers['set-cookie'], undefined);
    const bad = await haic.ask(ada, {
      path: '/_my/page.html',
      query: { 'response-content-type': 'a\r\nset-cookie: x=y' },
    });
    assert.equal(bad.code, 'InvalidArgument');
  });

  /** Sends text as it is, then what `next` answers to what was said; resolves with everything that was said. */
  function raw(text: string, next: (said: string) => string | undefined = () => undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      let said = '';
      let went = false;
      const socket = connect(haic.port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (piece: Buffer) => {
        said += piece.toString();
        const more = went ? undefined : next(said);
        if (more !== undefined) {
          went = true;
          socket.write(more);
        } else if (/^HTTP\/1\.1 [2-5]/m.test(said)) socket.end();
      });
      socket.once('error', reject);
      socket.once('close', () => resolve(said));
    });
  }

  function cutOff(text: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(haic.port, '127.0.0.1', () => {
        socket.write(text, () => setTimeout(() => socket.destroy(), 300));
      });
      socket.once('close', () => resolve());
    });
  }
});

async function until(check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > end) throw new Error('It did not come to pass.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
