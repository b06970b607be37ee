import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { listByName } from '../cloud/listing.ts';
import { loadSdk } from '../cloud/load-sdk.ts';
import { storeIn } from '../cloud/verbs.ts';
import { createKeyLock } from '../key-lock.ts';
import type { BlobStore } from '../port.ts';
import { copyBlob } from './copy.ts';
import { listingOf } from './listing.ts';
import { putBlob } from './put.ts';
import { deleteBlob, getBlob, headBlob } from './read.ts';
import type { S3Room } from './room.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, putPart } from './uploads.ts';

export interface S3StoreOptions {
  readonly bucket: string;
  /** What all names start with: '' or with a slash at the end. */
  readonly prefix: string;
  readonly region?: string;
  /** Of a store other than AWS. */
  readonly endpoint?: string;
  /** `host/bucket/key` instead of `bucket.host/key`; on by default with an endpoint. */
  readonly pathStyle?: boolean;
  /** In tests; otherwise the SDK's chain: environment, profile, web identity, container, instance. */
  readonly credentials?: S3ClientConfig['credentials'];
}

/** What went wrong is told to whoever asked; the client would write it to the console as well. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/**
 * Blobs as objects of a bucket, on AWS or whoever else speaks S3. Conditions are the store's own where it has them; those of copies and
 * deletions, which few have, are checked here first and hold among the writers of this process. The SDK is loaded by this function.
 */
export async function createS3BlobStore(options: S3StoreOptions): Promise<BlobStore> {
  return storeIn(createS3Room(options), {
    put: putBlob,
    get: getBlob,
    head: (room, key, { signal }) => headBlob(room, key, signal),
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

export function createS3Room(options: S3StoreOptions): S3Room {
  const sdk = loadSdk<S3Room['sdk']>('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    forcePathStyle: options.pathStyle ?? options.endpoint !== undefined,
    maxAttempts: 3,
    logger: silent,
    // A store that says nothing for so long is away; sending and reading of large bodies goes on beyond it.
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: 60_000,
      httpAgent: { maxSockets: 256 },
      httpsAgent: { maxSockets: 256 },
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return {
    sdk,
    client,
    bucket: options.bucket,
    prefix: options.prefix,
    lockKey: createKeyLock(),
  };
}
