import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import fc from 'fast-check';
import { DriveError } from './errors.ts';
import { readPath } from './request.ts';
import { createSessions } from './sessions.ts';
import type { SignableRequest } from './signature/canonical.ts';
import { verifySignature } from './signature/verify.ts';
import { type Keys, startTestDrive, type TestDrive } from './testing.ts';

const isFull = process.env.HAIC_TEST_SIZE === 'full';
const clear = (status: number) => status >= 200 && status < 502 && status !== 500;

describe('nonsense', () => {
  let haic: TestDrive;
  let ada: Keys;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore);
    ada = await haic.keysOf('ada');
  });
  after(() => haic.stop());

  it('in a signature is a clear refusal, whatever it is', () => {
    const sessions = createSessions(Buffer.alloc(32, 7));
    const part = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        ...[
          'AWS4-HMAC-SHA256',
          'Credential=',
          'HAIC234567ABCDEFGHIJ/20260102/r/s3/aws4_request',
          'Signature=',
        ],
        ...['SignedHeaders=host', ',', ' ', '20260102T030405Z', 'a'.repeat(64), '=', '/', '3600'],
      ),
    );
    const value = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    const names = [
      'X-Amz-Algorithm',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Expires',
      'X-Amz-SignedHeaders',
      'X-Amz-Signature',
      'X-Amz-Security-Token',
    ];
    fc.assert(
      fc.property(
        fc.option(value),
        fc.array(fc.record({ name: fc.constantFrom(...names), value }), { maxLength: 9 }),
        value,
        value,
        (authorization, query, date, token) => {
          const headers = new Map<string, readonly string[]>([
            ['host', ['localhost']],
            ['x-amz-date', [date]],
            ['x-amz-security-token', [token]],
            ['x-amz-content-sha256', ['UNSIGNED-PAYLOAD']],
          ]);
          if (authorization !== null) headers.set('authorization', [`AWS4-HMAC-SHA256 ${authorization}`]);
          const request: SignableRequest = { method: 'GET', rawPath: '/_my/x', query, headers };
          assert.throws(
            () => verifySignature(request, sessions.open),
            (error) => error instanceof DriveError && error.status >= 400 && error.status < 500,
          );
        },
      ),
      { numRuns: isFull ? 10_000 : 1000 },
    );
  });

  it('in a path is a key or a clear refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          const { bucket, key } = readPath(`/${text}`);
          assert.equal(typeof bucket, 'string');
          assert.ok(Buffer.byteLength(key) <= 1024);
        } catch (error) {
          assert.ok(error instanceof DriveError && error.status === 400);
        }
      }),
      { numRuns: isFull ? 10_000 : 1000 },
    );
  });

  it('as a key is kept under just this key', async () => {
    const hostile = [
      '..',
      '.',
      '../../etc/passwd',
      'a//b',
      '/',
      '//',
      'nul\0byte',
      '\u0001\u007f',
      'a\\b',
      '%2E%2E',
      '@',
      'e\u0301',
      '\u00e9',
      '\u202e',
      '😀',
      'x'.repeat(1024),
      'a/'.repeat(512),
      '__proto__',
      'sts',
      ' ',
    ];
    for (const key of hostile) {
      const path = `/_my/${encodeURIComponent(key)
        .replaceAll('%2F', '/')
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
      const put = await haic.ask(ada, { method: 'PUT', path, body: `of ${key}` });
      assert.equal(put.status, 200, `${JSON.stringify(key).slice(0, 40)} ${put.text}`);
      assert.equal((await haic.ask(ada, { path })).text, `of ${key}`);
    }
    const listed = await haic.ask(ada, { path: '/_my', query: { 'encoding-type': 'url' } });
    const keys = [...listed.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) =>
      decodeURIComponent(match[1] ?? ''),
    );
    assert.deepEqual(
      keys,
      [...hostile].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    const tooLong = await haic.ask(ada, { method: 'PUT', path: `/_my/${'x'.repeat(1025)}`, body: '' });
    assert.equal(tooLong.code, 'KeyTooLongError');
    assert.equal((await haic.ask(ada, { path: '/_my/%ff' })).status, 400);
    assert.equal((await haic.ask(ada, { path: '/_my/%zz' })).status, 400);
  });

  it('in a signed request is answered clearly', async () => {
    const methods = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH'] as const;
    const names = [
      'uploads',
      'uploadId',
      'partNumber',
      'list-type',
      'max-keys',
      'delete',
      'acl',
      'marker',
      'encoding-type',
      'continuation-token',
      'start-after',
      'versionId',
      'response-content-type',
      'part-number-marker',
    ];
    const headers = [
      'range',
      'if-match',
      'if-none-match',
      'if-modified-since',
      'content-md5',
      'x-amz-copy-source',
      'x-amz-metadata-directive',
      'x-amz-checksum-crc32',
      'x-amz-acl',
      'x-amz-trailer',
      'x-amz-decoded-content-length',
      'content-encoding',
      'x-amz-copy-source-range',
    ];
    const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
    const value = fc.oneof(
      printable,
      fc.constantFrom(
        '',
        '0',
        '1',
        '-1',
        '99999999999',
        'bytes=0-',
        'bytes=-0',
        '"x"',
        '*',
        '/_my/x',
        '_my',
        'aws-chunked',
        '2',
      ),
    );
    const sample = fc.sample(
      fc.record({
        method: fc.constantFrom(...methods),
        path: fc.constantFrom('/', '/_my', '/_my/', '/_my/x', '/default/x', '/nobody', '/sts/x'),
        query: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }),
        headers: fc.dictionary(
          fc.constantFrom(...headers),
          value.map((text) => text.trim()),
          { maxKeys: 3 },
        ),
        body: fc.constantFrom(
          '',
          '<a/>',
          '<Delete/>',
          'x',
          '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>',
        ),
      }),
      isFull ? 10_000 : 300,
    );
    for (const { body, ...request } of sample) {
      const hasBody = request.method === 'PUT' || request.method === 'POST' || request.method === 'PATCH';
      const answer = await haic.ask(ada, { ...request, ...(hasBody ? { body } : {}) });
      assert.ok(clear(answer.status), `${answer.status} ${JSON.stringify(request)} ${answer.text}`);
    }
    assert.equal((await haic.send({ path: '/healthz' })).status, 200);
  });
});
