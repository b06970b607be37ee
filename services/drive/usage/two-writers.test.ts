import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { driveMigrations } from '../migrations.ts';
import type { Bucket } from '../model.ts';
import { createUsageStore } from './store.ts';
import { type KeptAccounts, keepAccounts } from './usage.ts';

const bucket: Bucket = { name: '_my', prefix: 'drive/people/ada/', kind: 'own', id: 'ada', role: 'owner' };
const large = 2 * 1024 ** 2;
const signal = AbortSignal.timeout(120_000);

describe('two Drives that write to one bucket', () => {
  let world: Awaited<ReturnType<typeof startTestDatabase>>;
  let directory: string;
  let blobs: BlobStore;
  let one: KeptAccounts;
  let other: KeptAccounts;
  before(async () => {
    world = await startTestDatabase();
    await migrate(world.database, driveMigrations);
    directory = await mkdtemp(path.join(tmpdir(), 'haic-test-two-writers-'));
    blobs = await createFilesystemBlobStore({ directory, etags: 'md5' });
    const parts = { blobs, logger: createLogger('test', 'silent') };
    one = await keepAccounts({ ...parts, store: createUsageStore(world.database, 0) });
    other = await keepAccounts({ ...parts, store: createUsageStore(world.database, 0) });
  });
  after(async () => {
    await one?.stop();
    await other?.stop();
    await world.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const put = (key: string, size: number) =>
    blobs.put(bucket.prefix + key, Readable.from([Buffer.alloc(size)]), { size, signal });
  const write = (accounts: KeptAccounts, key: string, size: number) =>
    accounts.accounts.writing(bucket, key, size, () => put(key, size));
  const remove = (accounts: KeptAccounts, key: string) =>
    accounts.accounts.removing(bucket, [key], () => blobs.delete(bucket.prefix + key, { signal }));
  const accountedFor = async (key: string) => {
    const [row] = await world.database.sql<{ bytes: string }[]>`
      select bytes from drive.objects where bucket = ${bucket.prefix} and key = ${Buffer.from(key)}`;
    return row === undefined ? 0 : Number(row.bytes);
  };

  const meanwhile: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    'a small one': async (key) => {
      await write(other, key, 50);
      await other.usage.usageOf(bucket.prefix);
    },
    'a small one of as many bytes as were there': async (key) => {
      await write(other, key, 70);
      await other.usage.usageOf(bucket.prefix);
    },
    'a large one': (key) => write(other, key, large),
    'a large one, and then a small one in the same bucket': async (key) => {
      await write(other, key, large);
      await write(one, 'something else', 1);
      await one.usage.usageOf(bucket.prefix);
    },
    nothing: (key) => remove(other, key),
    'nothing, where there was nothing before': (key) => remove(other, key),
  };
  for (const [what, of] of Object.entries(meanwhile))
    it(`account in the end for ${what}, where that was written last and accounted for first`, async () => {
      const key = `key of ${what}`;
      await write(one, key, 70);
      if (what.endsWith('nothing before')) await remove(one, key);
      // From here on this one is known to have been the last.
      await write(one, 'something else', 2);
      await one.usage.usageOf(bucket.prefix);
      await one.accounts.writing(bucket, key, 100, async () => {
        const written = await put(key, 100);
        await of(key);
        return written;
      });
      await one.usage.usageOf(bucket.prefix);
      assert.equal(await accountedFor(key), 100, 'at first it is wrong');
      const there = (await blobs.head(bucket.prefix + key, { signal }))?.size ?? 0;
      await until(async () => ((await accountedFor(key)) === there ? true : undefined), {
        everyMs: 50,
        signal: AbortSignal.timeout(10_000),
      });
    });
});
