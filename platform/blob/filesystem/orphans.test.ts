import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { findStrays } from './orphans.ts';
import { createFilesystemBlobStore } from './store.ts';

describe('what has been left behind among the blobs', () => {
  const signal = AbortSignal.timeout(60_000);
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-blobs-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('is bytes that no record names, and records whose bytes are gone', async () => {
    const store = await createFilesystemBlobStore({ directory });
    for (const key of ['folder/kept', 'folder/lost', 'top'])
      await store.put(key, Readable.from(['x']), { signal });
    await store.put('folder/within', Readable.from(['x']), { size: 1, signal });
    const upload = await store.createUpload('folder/parts', { signal });
    const part = await store.putPart(upload, 1, Readable.from(['x']), { signal });
    await store.completeUpload(upload, [part], { signal });
    assert.deepEqual(await findStrays(directory, { signal, settledAfterMs: 0 }), { orphans: [], lost: [] });

    const folder = path.join(directory, 'objects', 'folder');
    for (const name of await readdir(folder))
      if (/^lost@[0-9a-f]{16}$/.test(name)) await rm(path.join(folder, name));
    const orphans = ['kept', 'nobody', 'within'].map((name) => path.join(folder, `${name}@0123456789abcdef`));
    for (const file of orphans) await writeFile(file, 'x');
    const found = await findStrays(directory, { signal, settledAfterMs: 0 });
    assert.deepEqual(found.orphans.toSorted(), orphans);
    assert.deepEqual(found.lost, [path.join(folder, 'lost@.json')]);
    const young = await findStrays(directory, { signal });
    assert.deepEqual(young.orphans, [], 'what is young may be a change that is going on');
  });
});
