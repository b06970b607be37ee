import type { BlobStore, BlobUpload } from '@haic/platform/blob/port.ts';
import type { Accounts } from './usage/usage.ts';

const dayMs = 24 * 60 * 60 * 1000;
const pageSize = 1000;
/** Of buckets and of their trash: `drive/people/<id>/`. */
const bucketOfKey = /^drive\/(?:trash\/)?(?:people|workspaces)\/[^/]+\//;

export interface StaleUploads {
  /** Gives up what was begun too long ago, and says how many that were. */
  sweep(): Promise<number>;
}

/**
 * Uploads in parts that nobody completed count in somebody's quota and are in no listing of objects. As by S3's rule
 * `AbortIncompleteMultipartUpload`, they end so many days after they began; 0 keeps them.
 */
export function createStaleUploads(parts: {
  readonly blobs: Pick<BlobStore, 'listUploads' | 'abortUpload'>;
  readonly accounts: Pick<Accounts, 'aborting'>;
  readonly days: number;
  readonly now?: () => number;
}): StaleUploads {
  const { blobs, accounts, days } = parts;
  const signal = () => AbortSignal.timeout(60_000);

  async function giveUp(upload: BlobUpload): Promise<void> {
    const prefix = bucketOfKey.exec(upload.key)?.[0];
    if (prefix === undefined) return;
    const { key, uploadId } = upload;
    await accounts.aborting({ prefix }, uploadId, () =>
      blobs.abortUpload({ key, uploadId }, { signal: signal() }).catch((error: unknown) => {
        // Somebody was faster, and the account must say so, too.
        if (!isNoSuchUpload(error)) throw error;
      }),
    );
  }

  return {
    async sweep() {
      if (days === 0) return 0;
      const end = (parts.now ?? Date.now)() - days * dayMs;
      let ended = 0;
      let after: { key: string; uploadId: string } | undefined;
      for (;;) {
        const page = await blobs.listUploads({
          prefix: 'drive/',
          ...(after === undefined ? {} : { after }),
          limit: pageSize,
          signal: signal(),
        });
        const stale = page.uploads.filter((upload) => upload.startedAt.getTime() < end);
        for (const upload of stale) await giveUp(upload);
        ended += stale.length;
        const last = page.uploads.at(-1);
        if (!page.more || last === undefined) return ended;
        after = { key: last.key, uploadId: last.uploadId };
      }
    },
  };
}

const isNoSuchUpload = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'no_such_upload';
