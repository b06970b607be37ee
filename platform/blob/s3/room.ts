import type * as Sdk from '@aws-sdk/client-s3';
import { HaicError, insufficientStorage, unavailable } from '@haic/kit/errors.ts';
import { packMetadata } from '../cloud/metadata.ts';
import { hashedGroupOf, nameOf } from '../cloud/names.ts';
import { blobChanged, blobExists } from '../errors.ts';
import { checkKey } from '../key.ts';
import type { BlobAttributes, WriteCondition } from '../port.ts';

/** What the verbs of the store share. */
export interface S3Room {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly lockKey: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

export const defaultContentType = 'application/octet-stream';

/** Bucket and name of a key. Throws `invalid_blob_key` (400). */
export const at = (room: S3Room, key: string): { Bucket: string; Key: string } => {
  checkKey(key);
  return { Bucket: room.bucket, Key: objectsOf(room) + nameOf(key) };
};

/** What the names of blobs start with, and beside it what the store does not say of an upload (uploads.ts). */
export const objectsOf = (room: S3Room): string => `${room.prefix}objects/`;
export const uploadsOf = (room: S3Room): string => `${room.prefix}uploads/`;

export const attributesFor = (key: string, { contentType, metadata }: BlobAttributes) => ({
  ContentType: contentType ?? defaultContentType,
  Metadata: packMetadata(metadata ?? {}, hashedGroupOf(key) === undefined ? undefined : key),
});

export const conditionFor = ({ ifAbsent, ifMatch }: WriteCondition) => ({
  ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
  ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
});

export const plainEtag = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');

/** The answer, or the error as the port says it. */
export async function asked<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fromS3Error(error);
  }
}

export interface S3Failure {
  readonly name: string;
  readonly status: number | undefined;
}

export function failureOf(error: unknown): S3Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : undefined;
  return { name: error.name, status: metadata?.httpStatusCode };
}

/** Something that is not there, whatever it is called by the store. */
export const isMissing = (error: unknown): boolean => {
  const failure = failureOf(error);
  return failure?.status === 404 && failure.name !== 'NoSuchBucket';
};

export const isCondition = (error: unknown): boolean => {
  const failure = failureOf(error);
  return failure?.status === 412 || failure?.name === 'ConditionalRequestConflict';
};

export const conditionError = (key: string, condition: WriteCondition): HaicError =>
  condition.ifAbsent ? blobExists(key) : blobChanged(key);

const full = new Set(['InsufficientStorage', 'XMinioStorageFull', 'QuotaExceeded', 'InsufficientCapacity']);
const refusing = new Set([401, 403]);

export function fromS3Error(error: unknown): unknown {
  if (error instanceof HaicError) return error;
  const failure = failureOf(error);
  if (failure === undefined) return error;
  if (failure.status === 507 || full.has(failure.name))
    return insufficientStorage('The object store is full. Nothing was changed.', { cause: error });
  const because = refusing.has(failure.status ?? 0)
    ? 'refuses what Haic shows it (credentials, or a policy of the bucket)'
    : failure.name === 'NoSuchBucket'
      ? 'has no such bucket'
      : failure.status === undefined
        ? 'cannot be reached'
        : `answers ${failure.status} ${failure.name}`;
  return unavailable(
    'storage_unavailable',
    `The object store ${because}. Nothing was changed; whoever runs Haic has to look at it.`,
    { cause: error },
  );
}
