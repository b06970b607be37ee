import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type StoreServer, startFakeGcsServer } from '@haic/test-stores/servers.ts';
import { blobContract } from '../contract.ts';
import { rejectsWith } from '../contract-kit.ts';
import { createGcsBlobStore } from './store.ts';
import { findGcsStrays } from './strays.ts';

const storeOn = ({ endpoint }: Pick<StoreServer, 'endpoint'>, bucket = 'bucket') =>
  createGcsBlobStore({ bucket, prefix: 'haic/', endpoint });

blobContract(
  'Google Cloud Storage, by fake-gcs-server',
  async () => {
    const server = await startFakeGcsServer();
    console.log(`# served by ${server.name}`);
    return { store: await storeOn(server), stop: () => server.stop() };
  },
  { etags: 'md5' },
);

describe('a blob store on Google Cloud Storage', () => {
  let server: StoreServer;
  const signal = AbortSignal.timeout(120_000);
  before(async () => {
    server = await startFakeGcsServer();
  });
  after(() => server.stop());

  it('says plainly that the bucket or the store itself is wrong', async () => {
    const stores = [
      await storeOn(server, 'no-such-bucket'),
      await storeOn({ endpoint: 'http://127.0.0.1:9' }),
    ];
    for (const store of stores)
      await rejectsWith(store.list({ prefix: '', signal }), 'storage_unavailable', 503);
  });

  it('finds what is left of an upload whose end was cut off, once it is old enough', async () => {
    const store = await storeOn(server);
    const upload = await store.createUpload('cut off', { signal });
    await store.putPart(upload, 1, Readable.from([Buffer.from('x')]), { signal });
    const at = { bucket: 'bucket', prefix: 'haic/', endpoint: server.endpoint };
    assert.deepEqual(await findGcsStrays(at, { signal, settledAfterMs: -1000 }), []);
    const note = encodeURIComponent(`haic/uploads/${upload.uploadId}/upload.json`);
    await fetch(`${server.endpoint}/storage/v1/b/bucket/o/${note}`, { method: 'DELETE' });
    assert.deepEqual(await findGcsStrays(at, { signal }), []);
    const [stray, ...more] = await findGcsStrays(at, { signal, settledAfterMs: -1000 });
    assert.match(stray ?? '', new RegExp(`^haic/uploads/${upload.uploadId}/parts/00001\\.`));
    assert.deepEqual(more, []);
    await fetch(`${server.endpoint}/storage/v1/b/bucket/o/${encodeURIComponent(stray ?? '')}`, {
      method: 'DELETE',
    });
  });

  it('makes a blob of more parts than Google composes at once, in their order, and leaves nothing else', async () => {
    const store = await storeOn(server);
    const upload = await store.createUpload('many', { signal });
    const numbers = Array.from({ length: 67 }, (_, i) => i + 1);
    const parts = await Promise.all(
      numbers.map((number) =>
        store.putPart(upload, number, Readable.from([Buffer.from(`${number},`)]), { signal }),
      ),
    );
    const made = await store.completeUpload(upload, parts, { signal });
    assert.match(made.etag, /^[0-9a-f]{32}-67$/);
    const blob = await store.get('many', { signal });
    assert.equal(blob && (await text(blob.content)), numbers.map((number) => `${number},`).join(''));
    const listed = await fetch(`${server.endpoint}/storage/v1/b/bucket/o`);
    const { items } = (await listed.json()) as { items: { name: string }[] };
    assert.deepEqual(
      items.map(({ name }) => name),
      ['haic/objects/many!'],
    );
  });
});
