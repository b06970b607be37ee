import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { rejectsWith } from '../contract-kit.ts';
import type { BlobPart, BlobStore } from '../port.ts';
import { breakDisk } from './broken-disk.fixture.ts';
import { createOwnDisk } from './disk/create-disk.ts';
import { findStrays } from './orphans.ts';
import { createFilesystemBlobStore } from './store.ts';

const signal = AbortSignal.timeout(300_000);
/** Hundreds of stores are made, and no real disk is asked to be durable. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** Of this thread, which is the one that breaks. */
const ownDisk = createOwnDisk();
/** More than what is kept within a record. */
const large = (letter: string) => letter.repeat(200_000);
const content = (letter: string) => Readable.from([Buffer.from(large(letter))]);

interface Case {
  readonly does: string;
  /** Makes what is there before; returns what is then done, and can be done again. */
  prepare(store: BlobStore): Promise<(store: BlobStore) => Promise<unknown>>;
  readonly after: string;
}

const cases: readonly Case[] = [
  {
    does: 'a put of few bytes',
    after: 'new',
    prepare: async () => (now) =>
      now.put('folder/target', Readable.from([Buffer.from('new')]), { size: 3, signal }),
  },
  {
    does: 'a put',
    after: large('n'),
    prepare: async () => (now) => now.put('folder/target', content('n'), { signal }),
  },
  {
    does: 'a copy',
    after: large('s'),
    prepare: async (store) => {
      await store.put('source', content('s'), { signal });
      return (now) => now.copy('source', 'folder/target', { signal });
    },
  },
  {
    does: 'a copy of a blob in parts',
    after: large('p') + large('q'),
    prepare: async (store) => {
      const upload = await store.createUpload('source', { signal });
      const parts: BlobPart[] = [];
      for (const [i, letter] of ['p', 'q'].entries())
        parts.push(await store.putPart(upload, i + 1, content(letter), { signal }));
      await store.completeUpload(upload, parts, { signal });
      return (now) => now.copy('source', 'folder/target', { signal });
    },
  },
  {
    does: 'the completion of an upload',
    after: large('p') + large('q'),
    prepare: async (store) => {
      const upload = await store.createUpload('folder/target', { signal });
      const parts: BlobPart[] = [];
      for (const [i, letter] of ['p', 'q'].entries())
        parts.push(await store.putPart(upload, i + 1, content(letter), { signal }));
      return (now) => now.completeUpload(upload, parts, { signal });
    },
  },
];

const faults = [
  { code: 'EIO', lasts: 'once', says: 'storage_unavailable', status: 503 },
  { code: 'ENOSPC', lasts: 'on', says: 'insufficient_storage', status: 507 },
] as const;

/** As the next process opens it, for which this one is dead. */
async function openAgain(directory: string): Promise<BlobStore> {
  const temporary = path.join(directory, 'temporary');
  for (const name of await readdir(temporary))
    await rename(path.join(temporary, name), path.join(temporary, name.replace(/~\d+$/, '~0')));
  return createFilesystemBlobStore({ directory, disk: ownDisk });
}

async function read(store: BlobStore): Promise<string | undefined> {
  const blob = await store.get('folder/target', { signal });
  return blob && (await text(blob.content));
}

/** Everything that writes fails in turn, the first, the second … until nothing is left that could. */
describe('a disk that breaks or is full', () => {
  for (const { does, prepare, after } of cases)
    for (const { code, lasts, says, status } of faults)
      for (const old of [undefined, 'old', large('o')])
        it(`${does} onto ${old?.length ?? 'no'} bytes: ${code} leaves the old or the new blob, whole, nothing to the next start, and it can be done again`, async () => {
          const root = await mkdtemp(path.join(inMemory, 'haic-broken-disk-'));
          try {
            let at = 1;
            for (let failed = true; failed; at += 1) {
              const directory = path.join(root, String(at));
              const store = await createFilesystemBlobStore({ directory, disk: ownDisk });
              if (old !== undefined) await store.put('folder/target', Readable.from([old]), { signal });
              const work = await prepare(store);
              const disk = await breakDisk(at, code, lasts);
              const done = work(store);
              await done.catch(() => undefined);
              disk.repair();
              failed = disk.failed;
              // What fails may be what it can do without.
              await done.catch(() => rejectsWith(done, says, status));
              const seen = await read(store);
              assert.ok([old, after].includes(seen), `call ${at}: ${seen?.length} bytes are seen`);
              const next = await openAgain(directory);
              assert.equal(await read(next), seen, `call ${at}`);
              const strays = await findStrays(directory, { signal, settledAfterMs: 0 });
              assert.deepEqual(strays, { orphans: [], lost: [] }, `call ${at}`);
              await work(next);
              assert.equal(await read(next), after);
            }
            assert.ok(at > 3, 'several calls could fail');
          } finally {
            await rm(root, { recursive: true, force: true });
          }
        });
});
