import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';
import type { ShareStore } from '../shares.ts';
import type { UsageStore } from '../usage/store.ts';
import type { Accounts } from '../usage/usage.ts';
import type { OceanStore } from './store.ts';
import { trashOf } from './trash.ts';

/** Removes all that a bucket holds: objects, what is in its trash, unfinished uploads, and its account. */
export type RemoveBucket = (bucket: Bucket) => Promise<void>;

/** So many at once; each is accounted for before the next. */
const bite = 100;
const biteMs = 60_000;

/**
 * Nobody may write to the bucket any more. What is removed is looked for again each time, and the account goes last: after a crash in the
 * middle it is called again, and goes on with what is left.
 */
export function createRemoveBucket(parts: {
  readonly blobs: Pick<BlobStore, 'listUploads' | 'abortUpload'>;
  readonly objects: Pick<ObjectService, 'list' | 'removeAll'>;
  readonly accounts: Pick<Accounts, 'aborting'>;
  readonly usage: Pick<UsageStore, 'forget'>;
  readonly store: Pick<OceanStore, 'forgetTrashOf'>;
  readonly shares: Pick<ShareStore, 'endOfBucket'>;
}): RemoveBucket {
  const { blobs, objects, accounts, usage, store, shares } = parts;

  async function abortUploads({ prefix }: Bucket): Promise<void> {
    for (;;) {
      const signal = AbortSignal.timeout(biteMs);
      const { uploads } = await blobs.listUploads({ prefix, limit: bite, signal });
      if (uploads.length === 0) return;
      for (const { key, uploadId } of uploads)
        await accounts.aborting({ prefix }, uploadId, () => blobs.abortUpload({ key, uploadId }, { signal }));
    }
  }

  async function removeObjects(bucket: Bucket): Promise<void> {
    for (;;) {
      const signal = AbortSignal.timeout(biteMs);
      const page = await objects.list(bucket, { prefix: '', limit: bite, signal });
      if (page.objects.length === 0) return;
      const keys = page.objects.map(({ key }) => key);
      for (const { error } of await objects.removeAll(bucket, keys, { signal }))
        if (error !== undefined) throw error;
    }
  }

  return async (bucket) => {
    for (const one of [bucket, trashOf(bucket)]) {
      await abortUploads(one);
      await removeObjects(one);
      await usage.forget(one.prefix);
    }
    await store.forgetTrashOf(bucket.prefix);
    await shares.endOfBucket(bucket.prefix);
  };
}
