/**
 * Started by store.test.ts to be killed: overwrites keys without end, whole, small, in parts and by copies. A line of JSON for each blob that was
 * acknowledged, and one for each upload whose parts were.
 */
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createFilesystemBlobStore } from './store.ts';

const [directory = '', run = '0'] = process.argv.slice(2);
const store = await createFilesystemBlobStore({ directory });
const signal = AbortSignal.timeout(60_000);
const tell = (fact: object) => writeSync(1, `${JSON.stringify(fact)}\n`);
const content = (letter: string, chunks: number) =>
  Readable.from(Array.from({ length: chunks }, () => Buffer.from(letter.repeat(10_000))));

async function put(key: string, letter: string) {
  await store.put(key, content(letter, 30), { signal });
  tell({ key });
}

/** Within its record, which may be that of a larger one before. */
async function putSmall(key: string, letter: string) {
  await store.put(key, content(letter, 10), { size: 100_000, signal });
  tell({ key });
}

async function putInParts(key: string, letter: string) {
  const upload = await store.createUpload(key, { signal });
  const parts = await Promise.all(
    [1, 2, 3].map((number) => store.putPart(upload, number, content(letter, 10), { signal })),
  );
  const left = await store.putPart(upload, 4, content('left out', 1), { signal });
  tell({ upload, parts, left });
  await store.completeUpload(upload, parts, { signal });
  tell({ key, uploadId: upload.uploadId });
}

async function copy(source: string, key: string) {
  if ((await store.copy(source, key, { signal })) !== undefined) tell({ key });
}

for (let i = 0; ; i += 1) {
  const letter = String.fromCharCode(97 + ((i + Number(run)) % 26));
  await Promise.all([
    put(`run ${run}/blob ${i % 40}`, letter),
    put('always/the same', letter),
    putSmall(`run ${run}/small ${i % 9}`, letter),
    putSmall(i % 2 === 0 ? 'always/the same' : `run ${run}/blob ${(i + 7) % 40}`, letter),
    putInParts(`run ${run}/parts ${i % 5}`, letter),
    copy('always/the same', `copies/whole ${i % 5}`),
    copy(`run ${run}/parts ${(i + 4) % 5}`, `copies/parts ${i % 5}`),
  ]);
}
