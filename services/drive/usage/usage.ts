import { randomUUID } from 'node:crypto';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { driveError } from '../errors.ts';
import type { Bucket } from '../model.ts';
import { createLeases, type Leases } from './leases.ts';
import { recount } from './recount.ts';
import { type UsageStore, writerLivesForMs } from './store.ts';

/** What a write does to the account, from before its first byte until after its last. */
export interface Accounts {
  /** Writes one object. Refuses with `QuotaExceeded` before `write` is called; accounts for what is there after it, also when it failed. */
  writing<T extends { readonly size: number } | undefined>(
    bucket: Bucket,
    key: string,
    bytes: number,
    write: () => Promise<T>,
  ): Promise<T>;
  writingPart<T extends { readonly size: number }>(
    bucket: Bucket,
    part: { readonly uploadId: string; readonly partNumber: number; readonly bytes: number },
    write: () => Promise<T>,
  ): Promise<T>;
  completing<T>(bucket: Bucket, key: string, uploadId: string, complete: () => Promise<T>): Promise<T>;
  aborting(bucket: Pick<Bucket, 'prefix'>, uploadId: string, abort: () => Promise<void>): Promise<void>;
  /** Removes any number of objects. */
  removing<T>(bucket: Bucket, keys: readonly string[], remove: () => Promise<T>): Promise<T>;
}

const sizeIn = (blobs: BlobStore) => async (prefix: string, key: string) =>
  (await blobs.head(prefix + key, { signal: AbortSignal.timeout(60_000) }))?.size;

function createAccounts(store: UsageStore, blobs: BlobStore, leases: Leases): Accounts {
  const sizeOf = sizeIn(blobs);

  async function reserve(bucket: Bucket, bytes: number, key?: string): Promise<string> {
    const reservation = randomUUID();
    if (await store.reserve(reservation, bucket.prefix, bytes, key)) return reservation;
    await leases.settle(bucket.prefix);
    await leases.giveBack(bucket.prefix);
    if (await store.reserve(reservation, bucket.prefix, bytes, key)) return reservation;
    const { quota, bytes: used } = await store.usageOf(bucket.prefix);
    throw driveError(
      'QuotaExceeded',
      `These ${bytes} bytes do not fit: of ${quota} bytes ${used} are in use (parts of unfinished uploads are counted, too). Delete something, or ask an administrator for more.`,
    );
  }
  /** A failed write may have happened all the same, so what is accounted for is what is there. */
  const accountFor = async (
    { prefix }: Bucket,
    key: string,
    more: { reservation?: string; uploadId?: string },
  ): Promise<void> => {
    // What this process wrote before may still wait for its account, which would be the last word.
    await leases.settle(prefix);
    await store.accountObject(prefix, key, () => sizeOf(prefix, key), more);
  };

  return {
    writing: async (bucket, key, bytes, write) => {
      const draw = await leases.draw(bucket.prefix, key, bytes);
      if (draw !== undefined) {
        const written = await write().catch(async (error: unknown) => {
          await draw.account();
          throw error;
        });
        await draw.account(written?.size);
        return written;
      }
      const reservation = await reserve(bucket, bytes, key);
      try {
        return await write();
      } finally {
        await accountFor(bucket, key, { reservation });
      }
    },
    writingPart: async (bucket, { uploadId, partNumber, bytes }, write) => {
      const reservation = await reserve(bucket, bytes);
      const written = await write().catch(async (error: unknown) => {
        await store.release(reservation);
        throw error;
      });
      await store.accountPart(bucket.prefix, { uploadId, partNumber, bytes: written.size }, reservation);
      return written;
    },
    completing: async (bucket, key, uploadId, complete) => {
      const reservation = await reserve(bucket, 0);
      const completed = await complete().catch(async (error: unknown) => {
        await accountFor(bucket, key, { reservation });
        throw error;
      });
      await accountFor(bucket, key, { reservation, uploadId });
      return completed;
    },
    aborting: async (bucket, uploadId, abort) => {
      await abort();
      await store.forgetParts(bucket.prefix, uploadId);
    },
    removing: async (bucket, keys, remove) => {
      const reservation = await reserve(bucket, 0);
      try {
        return await remove();
      } finally {
        for (const key of keys) await accountFor(bucket, key, {});
        await store.release(reservation);
      }
    },
  };
}

export interface KeptAccounts {
  readonly accounts: Accounts;
  /** With all that this process wrote before; what another did may be some 20 ms behind its acknowledgement. */
  readonly usage: UsageStore;
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** The accounts of this process, which says that it lives and counts what those that died may have left uncounted. */
export async function keepAccounts(parts: {
  readonly store: UsageStore;
  readonly blobs: BlobStore;
  readonly logger: Logger;
}): Promise<KeptAccounts> {
  const { store, blobs, logger } = parts;
  await store.live();
  const leases = createLeases(store, sizeIn(blobs));
  const sweep = async () => {
    for (const { bucket, settle } of leases.doubtful()) {
      await recount(store, blobs, bucket);
      await settle();
      logger.info(
        { bucket },
        'A bucket was counted anew, since the database was away or had lost something.',
      );
    }
    for (const bucket of await store.leftBehind()) {
      await recount(store, blobs, bucket);
      await store.releaseLeftBehind(bucket);
      logger.info({ bucket }, 'A bucket was counted anew, since its writer had died.');
    }
    await store.buryWriters();
  };
  const quietly = (work: () => Promise<void>, what: string) => () => {
    work().catch((error: unknown) => logger.warn(`${what} failed: ${messageOf(error)}`));
  };
  const living = setInterval(quietly(store.live, 'Saying that Drive lives'), writerLivesForMs / 3);
  const sweeping = setInterval(quietly(sweep, 'Counting what the dead left'), writerLivesForMs);
  for (const timer of [living, sweeping]) timer.unref();
  return {
    accounts: createAccounts(store, blobs, leases),
    usage: {
      ...store,
      usageOf: async (bucket) => {
        await leases.settle(bucket);
        return store.usageOf(bucket);
      },
      entriesIn: async (bucket, ...page) => {
        await leases.settle(bucket);
        return store.entriesIn(bucket, ...page);
      },
    },
    sweep,
    stop: async () => {
      clearInterval(living);
      clearInterval(sweeping);
      // With a doubt left it looks as if it had died here, and others count anew.
      if (await leases.stop()) await store.leave();
    },
  };
}
