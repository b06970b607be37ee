import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { installationOf, readSettings } from '@haic/server/settings.ts';
import { placeOfBlobs } from './blobs.ts';

it('a restore that fails takes back what it put into a store of its own, which had to be empty', async () => {
  const directory = await mkdtemp(`${tmpdir()}/haic-place-of-blobs-`);
  try {
    const settings = readSettings({ HAIC_HOME: `${directory}/home`, HAIC_BLOB_STORE: `${directory}/store` });
    const signal = AbortSignal.timeout(30_000);
    const place = (blobSize?: number) =>
      placeOfBlobs(settings, installationOf(settings), { blobSize }, signal);
    const first = await place(1);
    const store = await first.open();
    for (const key of ['a', 'b/c']) await store.put(key, Readable.from([Buffer.from(key)]), { signal });
    await assert.rejects(place(1), /objects in .*store already.*another prefix/);
    await place(undefined);
    await first.takeBack();
    assert.deepEqual((await store.list({ prefix: '', signal })).blobs, []);
    await place(1);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
