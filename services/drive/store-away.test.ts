import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createS3BlobStore } from '@haic/platform/blob/s3/store.ts';
import { type StoreServer, startVersitygw } from '@haic/test-stores/servers.ts';
import { allBetween, between, type Keys, startTestDrive, type TestDrive } from './testing.ts';

const part = randomBytes(5 * 1024 * 1024);
const half = part.length / 2;

describe('Drive while the store behind it goes away', () => {
  let haic: TestDrive;
  let store: StoreServer;
  let ada: Keys;
  before(async () => {
    store = await startVersitygw();
    console.log(`# served by ${store.name}`);
    haic = await startTestDrive(() =>
      createS3BlobStore({
        bucket: 'bucket',
        prefix: '',
        region: 'us-east-1',
        endpoint: store.endpoint,
        credentials: { accessKeyId: store.accessKey, secretAccessKey: store.secretKey },
      }),
    );
    ada = await haic.keysOf('ada');
  });
  after(async () => {
    await haic?.stop();
    await store?.stop();
  });

  const put = (path: string, body: string | Buffer, query = {}) =>
    haic.ask(ada, { method: 'PUT', path, query, body });
  const get = (path: string, query = {}) => haic.ask(ada, { path, query });
  /** Sends one half, lets the store crash, and sends the rest. */
  async function putWhileItGoes(path: string, query = {}) {
    const body = new PassThrough();
    const headers = { 'content-length': String(part.length) };
    const answer = haic.ask(ada, { method: 'PUT', path, query, headers, body });
    body.write(part.subarray(0, half));
    // Some of it has been taken, and some is on its way.
    if (body.writableNeedDrain) await once(body, 'drain');
    await store.crash();
    body.end(part.subarray(half));
    return answer;
  }
  const parts = (list: readonly { number: number; etag: string | undefined }[]) =>
    `<CompleteMultipartUpload>${list
      .map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`;

  it('answers an interrupted PUT in S3’s words, keeps the old object whole, and takes the new one once it is back', async () => {
    await put('/_my/home/kept', 'old');
    const broken = await putWhileItGoes('/_my/home/kept');
    assert.deepEqual([broken.status, broken.code], [503, 'ServiceUnavailable'], broken.text);
    assert.ok(between(broken.text, 'RequestId'));
    for (const answer of [
      await get('/_my/home/kept'),
      await get('/_my', { 'list-type': '2' }),
      await put('/_my/home/other', 'x'),
      await haic.ask(ada, { method: 'DELETE', path: '/_my/home/kept' }),
    ])
      assert.deepEqual([answer.status, answer.code], [503, 'ServiceUnavailable'], answer.text);
    await store.restart();
    assert.equal((await get('/_my/home/kept')).text, 'old');
    assert.deepEqual(allBetween((await get('/_my', { 'list-type': '2' })).text, 'Key'), ['home/kept']);
    assert.equal((await put('/_my/home/kept', part)).status, 200);
    assert.ok((await get('/_my/home/kept')).bytes.equals(part));
  });

  it('loses no acknowledged part of an upload, shows nothing of it, and completes it once it is back', async () => {
    const path = '/_my/home/in-parts';
    const begun = await haic.ask(ada, { method: 'POST', path, query: { uploads: '' } });
    const uploadId = between(begun.text, 'UploadId') ?? '';
    const first = await put(path, part, { uploadId, partNumber: '1' });
    const broken = await putWhileItGoes(path, { uploadId, partNumber: '2' });
    assert.deepEqual([broken.status, broken.code], [503, 'ServiceUnavailable'], broken.text);
    const complete = (list: Parameters<typeof parts>[0]) =>
      haic.ask(ada, { method: 'POST', path, query: { uploadId }, body: parts(list) });
    const etag = first.headers.etag;
    const away = await complete([{ number: 1, etag }]);
    assert.equal(away.code, 'ServiceUnavailable', away.text);
    await store.restart();
    assert.equal((await get(path)).status, 404);
    assert.deepEqual(allBetween((await get(path, { uploadId })).text, 'PartNumber'), ['1']);
    const second = await put(path, part, { uploadId, partNumber: '2' });
    const done = await complete([
      { number: 1, etag },
      { number: 2, etag: second.headers.etag },
    ]);
    assert.equal(done.status, 200, done.text);
    assert.ok((await get(path)).bytes.equals(Buffer.concat([part, part])));
  });
});
