import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { listenOnChannel } from '@haic/kit/channel/channel.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { blobContract } from '../contract.ts';
import { rejectsWith, signal } from '../contract-kit.ts';
import { createFilesystemBlobStore } from '../filesystem/store.ts';
import { createBlobServer } from './listener.ts';
import { createRemoteBlobStore } from './store.ts';

const channel = { identity: 'core', key: Buffer.alloc(32, 7) };

/** On files, by another process's way to them. */
async function makeStore() {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-blobs-'));
  const logger = createLogger('blobs', 'silent');
  const files = await createFilesystemBlobStore({ directory, etags: 'md5' });
  const listener = await listenOnChannel({
    server: createBlobServer(files, logger),
    ...{ host: '127.0.0.1', port: 0, keys: [channel], logger },
  });
  const store = createRemoteBlobStore({ host: '127.0.0.1', port: listener.port, channel });
  const stop = async () => {
    await store.close();
    await listener.close();
    await rm(directory, { recursive: true });
  };
  return { store, files, stop };
}

blobContract('another process', makeStore, { etags: 'md5' });

describe('the store of another process', () => {
  it('brings large contents whole, both ways', async () => {
    const { store, files, stop } = await makeStore();
    const bytes = Buffer.alloc(20 << 20, 'large');
    await store.put('large', Readable.from([bytes]), { signal });
    const there = await files.get('large', { signal });
    const here = await store.get('large', { signal });
    assert.ok(there !== undefined && bytes.equals(await buffer(there.content)));
    assert.ok(here !== undefined && bytes.equals(await buffer(here.content)));
    await stop();
  });

  it('says so when it is away', async () => {
    const { store, stop } = await makeStore();
    await stop();
    await rejectsWith(store.head('a', { signal }), 'storage_unavailable', 503);
  });
});
