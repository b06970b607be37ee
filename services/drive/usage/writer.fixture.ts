/** Started by killed.test.ts to be killed: Drive's objects and accounts over a given store and database, written to without end. */
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createLogger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import type { Bucket } from '../model.ts';
import { createObjectService } from '../service.ts';
import { createUsageStore } from './store.ts';
import { keepAccounts } from './usage.ts';

const [databaseUrl = '', directory = '', adapter = '', run = ''] = process.argv.slice(2);
const { createFilesystemBlobStore } = (await import(adapter)) as {
  createFilesystemBlobStore: (options: { directory: string; etags: 'md5' }) => Promise<BlobStore>;
};
const database = connectPostgres({ url: databaseUrl, applicationName: 'writer' });
const blobs = await createFilesystemBlobStore({ directory, etags: 'md5' });
const usage = createUsageStore(database, 0);
const { accounts } = await keepAccounts({ store: usage, blobs, logger: createLogger('writer', 'silent') });
const objects = createObjectService(blobs, accounts);
const bucket: Bucket = { name: '_my', prefix: 'drive/people/ada/', kind: 'own', id: 'ada', role: 'owner' };
const signal = AbortSignal.timeout(120_000);

async function write(lane: number): Promise<void> {
  for (let i = 0; ; i += 1) {
    const key = `lane ${lane}/${i % 7}`;
    if (i % 5 === 4) {
      await objects.remove(bucket, key, { signal });
      writeSync(1, `${JSON.stringify({ key, i })}\n`);
      continue;
    }
    const text = `${run} ${i} `.repeat(500 + ((i * 131) % 900));
    const content = { size: text.length, md5: undefined, open: () => Readable.from([Buffer.from(text)]) };
    await objects.put(bucket, key, content, { signal });
    writeSync(1, `${JSON.stringify({ key, i, isThere: true })}\n`);
  }
}
await Promise.all([0, 1, 2, 3].map(write));
