import type * as Identity from '@azure/identity';
import { listByName } from '../cloud/listing.ts';
import { loadSdk } from '../cloud/load-sdk.ts';
import { storeIn } from '../cloud/verbs.ts';
import { createKeyLock } from '../key-lock.ts';
import type { BlobStore } from '../port.ts';
import { listingOf } from './listing.ts';
import { putBlob } from './put.ts';
import { copyBlob, deleteBlob, getBlob } from './read.ts';
import { type AzureRoom, headOf } from './room.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, putPart } from './uploads.ts';

export interface AzureStoreOptions {
  readonly account: string;
  readonly container: string;
  /** What all names start with: '' or with a slash at the end. */
  readonly prefix: string;
  /** Of the account, where it is not `https://<account>.blob.core.windows.net`. */
  readonly endpoint?: string;
  /** Otherwise the SDK's chain: environment, workload identity, managed identity. */
  readonly accountKey?: string;
}

/**
 * Blobs as block blobs of a container. Etags are MD5s, which Azure keeps; its own serve its conditions, so all of them are checked by the
 * store. Parts of an upload that nobody completes are forgotten by Azure after a week. The SDK is loaded by this function.
 */
export async function createAzureBlobStore(options: AzureStoreOptions): Promise<BlobStore> {
  return storeIn(createAzureRoom(options), {
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

export function createAzureRoom(options: AzureStoreOptions): AzureRoom {
  const sdk = loadSdk<AzureRoom['sdk']>('@azure/storage-blob');
  const credential =
    options.accountKey === undefined
      ? new (loadSdk<typeof Identity>('@azure/identity').DefaultAzureCredential)()
      : new sdk.StorageSharedKeyCredential(options.account, options.accountKey);
  const endpoint = options.endpoint ?? `https://${options.account}.blob.core.windows.net`;
  const service = new sdk.BlobServiceClient(endpoint, credential, {
    retryOptions: { maxTries: 3, tryTimeoutInMs: 3_600_000, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 },
  });
  return {
    sdk,
    container: service.getContainerClient(options.container),
    prefix: options.prefix,
    lockKey: createKeyLock(),
  };
}
