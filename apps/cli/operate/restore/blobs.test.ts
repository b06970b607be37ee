import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { Installation } from '@haic/server/installation.ts';
import { installationOf, readSettings, type ServerSettings } from '@haic/server/settings.ts';
import { placeOfBlobs, unfinishedRestoreIn } from './blobs.ts';
import { settleRestore, stagingOf, writeJournal } from './journal.ts';

const signal = AbortSignal.timeout(60_000);
const keysIn = async (store: BlobStore) =>
  (await store.list({ prefix: '', signal })).blobs.map(({ key }) => key);
const putInto = (store: BlobStore, key: string) =>
  store.put(key, Readable.from([Buffer.from(key)]), { signal });

describe('a restore into a store of its own that is cut off', () => {
  let folder: string;
  let number = 0;
  let settings: ServerSettings;
  let at: Installation;
  let store: BlobStore;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-place-of-blobs-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    number += 1;
    const place = path.join(folder, String(number));
    settings = readSettings({ HAIC_HOME: `${place}/home`, HAIC_BLOB_STORE: `${place}/store` });
    at = installationOf(settings);
    await mkdir(stagingOf(at).home, { recursive: true });
    store = await (await placeOf(at)).open();
    for (const key of ['a', 'b/c']) await putInto(store, key);
  });

  const placeOf = (of: Installation, blobSize?: number) =>
    placeOfBlobs(settings, stagingOf(of), { blobSize: blobSize ?? 1 }, signal);
  const unfinished = () =>
    unfinishedRestoreIn({ blobStore: settings.blobStore ?? assert.fail() }, at, AbortSignal.timeout(30_000));

  it('leaves in the store what says whose it is: for doctor, and for whoever would put something else there', async () => {
    const found = await unfinished();
    assert.match(
      found?.found ?? '',
      /\/store holds what a restore into \/.*\/home on .* has put there since 2/,
    );
    assert.match(found?.remedy ?? '', /If it was cut off, \.\/haic up .*HAIC_HOME=\//);
    const another = installationOf(readSettings({ HAIC_HOME: `${at.home}-2` }));
    await assert.rejects(placeOf(another), /holds what a restore into .*Nothing was changed\.$/);
  });

  it('before it was decided: what it put there is taken back by whatever comes next', async () => {
    assert.equal(await settleRestore(at, {}), 'undone');
    assert.deepEqual(await keysIn(store), []);
    assert.equal(await unfinished(), undefined);
    await placeOf(at);
  });

  it('after it was decided: what it put there stays, and is the installation’s', async () => {
    await writeJournal(at, { id: 'the-one', aside: 'before-restore-1', databaseDecides: false });
    assert.equal(await settleRestore(at, {}), 'completed');
    assert.deepEqual(await keysIn(store), ['a', 'b/c']);
    assert.equal(await unfinished(), undefined);
  });

  it('takes nothing back where a person has emptied the store and somebody else uses it now', async () => {
    for (const key of await keysIn(store)) await store.delete(key, { signal });
    await putInto(store, 'of-another');
    assert.equal(await settleRestore(at, {}), 'undone');
    assert.deepEqual(await keysIn(store), ['of-another']);
  });

  it('and whose store is away then: says so, and is taken back when the store is there again', async () => {
    const { blobStore } = settings;
    assert.ok(blobStore?.kind === 'filesystem');
    await rename(blobStore.directory, `${blobStore.directory}-away`);
    await writeFile(blobStore.directory, 'no folder');
    await assert.rejects(
      settleRestore(at, {}),
      /\/store could not all be removed\. .*repeat the command; or/,
    );
    await rm(blobStore.directory);
    await rename(`${blobStore.directory}-away`, blobStore.directory);
    assert.equal(await settleRestore(at, {}), 'undone');
    assert.deepEqual(await keysIn(store), []);
  });

  it('refuses a store that holds objects, unless the backup has none', async () => {
    await settleRestore(at, {});
    await putInto(store, 'there-already');
    await assert.rejects(placeOf(at), /objects in .*store already.*another prefix/);
    await placeOfBlobs(settings, stagingOf(at), { blobSize: undefined }, signal);
  });
});
