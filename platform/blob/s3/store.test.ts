import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type StoreServer, startVersitygw } from '@haic/test-stores/servers.ts';
import { blobContract } from '../contract.ts';
import { rejectsWith } from '../contract-kit.ts';
import { createS3BlobStore, createS3Room } from './store.ts';
import { findS3Strays } from './strays.ts';

const placeOn = (server: StoreServer, bucket = 'bucket', secretAccessKey = server.secretKey) => ({
  bucket,
  prefix: 'haic/',
  region: 'us-east-1',
  endpoint: server.endpoint,
  credentials: { accessKeyId: server.accessKey, secretAccessKey },
});
const storeOn = (...place: Parameters<typeof placeOn>) => createS3BlobStore(placeOn(...place));

blobContract(
  'S3, by versitygw',
  async () => {
    const server = await startVersitygw();
    console.log(`# served by ${server.name}`);
    return { store: await storeOn(server), stop: () => server.stop() };
  },
  { smallestPart: 5 * 1024 * 1024, etags: 'md5' },
);

describe('a blob store on S3', () => {
  let server: StoreServer;
  const signal = AbortSignal.timeout(120_000);
  before(async () => {
    server = await startVersitygw();
  });
  after(() => server.stop());

  it('says plainly that the credentials, the bucket or the store itself are wrong', async () => {
    const stores = [
      await storeOn(server, 'bucket', 'wrong'),
      await storeOn(server, 'no-such-bucket'),
      await storeOn({ ...server, endpoint: 'http://127.0.0.1:9' }),
    ];
    for (const store of stores)
      await rejectsWith(store.list({ prefix: '', signal }), 'storage_unavailable', 503);
  });

  it('finds uploads that no note tells of, and notes of uploads that the store has ended, once they are old enough', async () => {
    const place = placeOn(server);
    const store = await createS3BlobStore(place);
    const { sdk, client } = createS3Room(place);
    const Bucket = 'bucket';
    const [unnoted, ended] = [
      await store.createUpload('a', { signal }),
      await store.createUpload('b', { signal }),
    ];
    const old = { signal, settledAfterMs: -5000 };
    assert.deepEqual(await findS3Strays(place, old), []);
    const Key = 'haic/objects/b!';
    await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId: ended.uploadId }));
    const hash = createHash('sha256').update(unnoted.uploadId).digest('hex');
    await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: `haic/uploads/${hash}` }));
    assert.deepEqual(await findS3Strays(place, { signal }), []);
    const [upload, note, ...more] = await findS3Strays(place, old);
    assert.equal(upload, `haic/objects/a! (upload ${unnoted.uploadId})`);
    assert.match(note ?? '', /^haic\/uploads\/[0-9a-f]{64}$/);
    assert.deepEqual(more, []);
  });

  it('takes credentials from the environment when none are given', async () => {
    process.env.AWS_ACCESS_KEY_ID = server.accessKey;
    process.env.AWS_SECRET_ACCESS_KEY = server.secretKey;
    try {
      const { endpoint } = server;
      const store = await createS3BlobStore({ bucket: 'bucket', prefix: '', region: 'us-east-1', endpoint });
      assert.deepEqual((await store.list({ prefix: '', signal })).blobs, []);
    } finally {
      delete process.env.AWS_ACCESS_KEY_ID;
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });
});
