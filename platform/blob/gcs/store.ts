import type * as Sdk from 'google-auth-library';
import { listByName } from '../cloud/listing.ts';
import { loadSdk } from '../cloud/load-sdk.ts';
import { storeIn } from '../cloud/verbs.ts';
import { createKeyLock } from '../key-lock.ts';
import type { BlobStore } from '../port.ts';
import { createAsking } from './ask.ts';
import { copyBlob } from './copy.ts';
import { listingOf } from './listing.ts';
import { putBlob } from './put.ts';
import { deleteBlob, getBlob } from './read.ts';
import { type GcsRoom, headOf } from './room.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, putPart } from './uploads.ts';

export interface GcsStoreOptions {
  readonly bucket: string;
  /** What all names start with: '' or with a slash at the end. */
  readonly prefix: string;
  /** Where it is not `https://storage.googleapis.com`. One without TLS is an emulator's: nobody is introduced to it. */
  readonly endpoint?: string;
}

/**
 * Blobs as objects of a bucket of Google Cloud Storage. Conditions are its own, by generation. Google's library says who asks; its client
 * of the store (`@google-cloud/storage`) is not used, because no call of it can be given up: it knows no `AbortSignal`, and what a
 * stream has begun to send goes on when the content breaks. The library is loaded by this function.
 */
export async function createGcsBlobStore(options: GcsStoreOptions): Promise<BlobStore> {
  return storeIn(createGcsRoom(options), {
    put: putBlob,
    get: getBlob,
    head: async (room, key, { signal }) => (await headOf(room, key, signal))?.info,
    delete: deleteBlob,
    list: (room, list) => listByName(listingOf(room), list),
    copy: copyBlob,
    createUpload,
    putPart,
    listParts,
    listUploads,
    completeUpload,
    abortUpload,
  });
}

export const createGcsRoom = ({ bucket, prefix, endpoint }: GcsStoreOptions): GcsRoom => ({
  ...createAsking(
    loadSdk<typeof Sdk>('google-auth-library'),
    (endpoint ?? 'https://storage.googleapis.com').replace(/\/$/, ''),
  ),
  bucket,
  prefix,
  lockKey: createKeyLock(),
});
