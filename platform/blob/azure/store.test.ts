import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { type StoreServer, startAzurite } from '@haic/test-stores/servers.ts';
import { blobContract } from '../contract.ts';
import { rejectsWith } from '../contract-kit.ts';
import { createAzureBlobStore, createAzureRoom } from './store.ts';
import { findAzureStrays } from './strays.ts';

const placeOn = (server: StoreServer, container = 'container', accountKey = server.secretKey) => ({
  account: server.accessKey,
  container,
  prefix: 'haic/',
  endpoint: `${server.endpoint}/${server.accessKey}`,
  accountKey,
});
const storeOn = (...place: Parameters<typeof placeOn>) => createAzureBlobStore(placeOn(...place));

blobContract(
  'Azure Blob Storage, by Azurite',
  async () => {
    const server = await startAzurite();
    console.log(`# served by ${server.name}`);
    return { store: await storeOn(server), stop: () => server.stop() };
  },
  { etags: 'md5' },
);

describe('a blob store on Azure', () => {
  let server: StoreServer;
  const signal = AbortSignal.timeout(120_000);
  before(async () => {
    server = await startAzurite();
  });
  after(() => server.stop());

  it('says plainly that the credentials, the container or the store itself are wrong', async () => {
    const stores = [
      await storeOn(server, 'container', Buffer.from('wrong').toString('base64')),
      await storeOn(server, 'no-such-container'),
      await storeOn({ ...server, endpoint: 'http://127.0.0.1:9' }),
    ];
    for (const store of stores)
      await rejectsWith(store.list({ prefix: '', signal }), 'storage_unavailable', 503);
  });

  it('finds what is left of an upload whose end was cut off, once it is old enough', async () => {
    const place = placeOn(server);
    const store = await createAzureBlobStore(place);
    const upload = await store.createUpload('cut off', { signal });
    await store.putPart(upload, 1, Readable.from([Buffer.from('x')]), { size: 1, signal });
    assert.deepEqual(await findAzureStrays(place, { signal, settledAfterMs: -1000 }), []);
    const { container } = createAzureRoom(place);
    await container.deleteBlob(`haic/uploads/${upload.uploadId}/upload.json`);
    assert.deepEqual(await findAzureStrays(place, { signal }), []);
    const strays = await findAzureStrays(place, { signal, settledAfterMs: -1000 });
    assert.equal(strays.length, 1);
    assert.match(strays[0] ?? '', new RegExp(`^haic/uploads/${upload.uploadId}/parts/00001\\.`));
  });
});
