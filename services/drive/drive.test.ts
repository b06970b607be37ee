import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { allBetween, between, type Keys, startTestDrive, type TestDrive } from './testing.ts';

const md5 = (data: string | Buffer) => createHash('md5').update(data).digest('hex');

describe('objects of a bucket', () => {
  let haic: TestDrive;
  let ada: Keys;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore);
    ada = await haic.keysOf('ada');
  });
  after(() => haic.stop());
  const put = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    haic.ask(ada, { method: 'PUT', path, body, headers });

  it('are put, read, looked at and deleted', async () => {
    const answer = await put('/_my/home/hello.txt', 'hello', {
      'content-type': 'text/plain',
      'x-amz-meta-colour': 'blue',
      'cache-control': 'max-age=60',
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.etag, `"${md5('hello')}"`);
    const got = await haic.ask(ada, { path: '/_my/home/hello.txt' });
    assert.equal(got.status, 200);
    assert.equal(got.text, 'hello');
    assert.equal(got.headers['content-type'], 'text/plain');
    assert.equal(got.headers['x-amz-meta-colour'], 'blue');
    assert.equal(got.headers['cache-control'], 'max-age=60');
    assert.equal(got.headers['content-security-policy'], 'sandbox');
    assert.equal(got.headers['x-content-type-options'], 'nosniff');
    const head = await haic.ask(ada, { method: 'HEAD', path: '/_my/home/hello.txt' });
    assert.equal(head.headers['content-length'], '5');
    assert.equal((await haic.ask(ada, { method: 'DELETE', path: '/_my/home/hello.txt' })).status, 204);
    assert.equal((await haic.ask(ada, { method: 'DELETE', path: '/_my/home/hello.txt' })).status, 204);
    assert.equal((await haic.ask(ada, { path: '/_my/home/hello.txt' })).code, 'NoSuchKey');
    const gone = await haic.ask(ada, { method: 'HEAD', path: '/_my/home/hello.txt' });
    assert.deepEqual([gone.status, gone.text], [404, '']);
  });

  it('come in parts, in any order', async () => {
    const path = '/_my/parts.bin';
    const parts = [randomBytes(300_000), randomBytes(200_000), randomBytes(10)];
    const made = await haic.ask(ada, { method: 'POST', path, query: { uploads: '' } });
    const uploadId = between(made.text, 'UploadId') ?? '';
    for (const index of [2, 0, 1]) {
      const query = { partNumber: String(index + 1), uploadId };
      const answer = await haic.ask(ada, { method: 'PUT', path, query, body: parts[index] ?? '' });
      assert.equal(answer.headers.etag, `"${md5(parts[index] ?? '')}"`, answer.text);
    }
    const listed = await haic.ask(ada, { path, query: { uploadId } });
    assert.deepEqual(allBetween(listed.text, 'PartNumber'), ['1', '2', '3']);
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts
      .map((part, i) => `<Part><ETag>"${md5(part)}"</ETag><PartNumber>${i + 1}</PartNumber></Part>`)
      .join('')}</CompleteMultipartUpload>`;
    const done = await haic.ask(ada, { method: 'POST', path, query: { uploadId }, body });
    assert.equal(done.status, 200, done.text);
    const got = await haic.ask(ada, { path });
    assert.ok(got.bytes.equals(Buffer.concat(parts)));
    const usage = await haic.drive.usage.usageOf('drive/people/ada/');
    assert.deepEqual(usage, { bytes: 500_010, objects: 1, quota: 0 });
  });
});
