/** Started by store.test.ts to be killed: overwrites keys without end, one line of output for each acknowledged put. */
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createFilesystemBlobStore } from './store.ts';

const [directory = '', run = '0'] = process.argv.slice(2);
const store = await createFilesystemBlobStore({ directory });
const signal = AbortSignal.timeout(60_000);
for (let i = 0; ; i += 1) {
  const letter = String.fromCharCode(97 + ((i + Number(run)) % 26));
  const chunks = Array.from({ length: 30 }, () => Buffer.from(letter.repeat(10_000)));
  await Promise.all(
    [`run ${run}/blob ${i % 40}`, 'always/the same'].map(async (key) => {
      await store.put(key, Readable.from(chunks), { signal });
      writeSync(1, `${key}\n`);
    }),
  );
}
