import { messageOf } from '@haic/kit/errors.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { describeBlobStore } from '@haic/platform/blob/setting.ts';
import { openBlobs } from '@haic/server/blobs.ts';
import type { Installation } from '@haic/server/installation.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { CommandError, say } from '../../terminal.ts';
import type { Contents } from './stage.ts';

/** Where the bundles and objects of a backup go: with everything else, or into the store that HAIC_BLOB_STORE names. */
export interface PlaceOfBlobs {
  open(): Promise<BlobStore>;
  /** What was put into a store of its own, when the restore fails. The rest is in the folder that is given up. */
  takeBack(): Promise<void>;
}

/** Refuses a store that holds something already: nothing there could be told from what was put back when it fails. */
export async function placeOfBlobs(
  settings: ServerSettings,
  staging: Installation,
  { blobSize }: Pick<Contents, 'blobSize'>,
  signal: AbortSignal,
): Promise<PlaceOfBlobs> {
  // Drive's clients look at etags, and everybody else takes any.
  const open = () => openBlobs(settings, staging, { etags: 'md5' });
  if (settings.blobStore === undefined || blobSize === undefined)
    return { open, takeBack: async () => undefined };
  const store = await open();
  const where = describeBlobStore(settings.blobStore);
  if ((await store.list({ prefix: '', limit: 1, signal })).blobs.length > 0)
    throw new CommandError(
      `There are objects in ${where} already, and the backup holds some. Name an empty place by HAIC_BLOB_STORE, another prefix for example, or empty this one. Nothing was changed.`,
    );
  const put: string[] = [];
  return {
    open: async () => ({
      ...store,
      put: (key, content, options) => {
        put.push(key);
        return store.put(key, content, options);
      },
    }),
    takeBack: async () => {
      try {
        for (const key of put) await store.delete(key, { signal: AbortSignal.timeout(60_000) });
      } catch (error) {
        say(
          `What was put into ${where} could not all be removed again: ${messageOf(error)} Empty it by hand.`,
        );
      }
    },
  };
}
