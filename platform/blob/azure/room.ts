import type * as Sdk from '@azure/storage-blob';
import { HaicError, insufficientStorage, unavailable } from '@haic/kit/errors.ts';
import { infoOf } from '../cloud/attributes.ts';
import { nameOf } from '../cloud/names.ts';
import { blobChanged, blobExists } from '../errors.ts';
import type { BlobInfo, WriteCondition } from '../port.ts';

/** What the verbs of the store share. */
export interface AzureRoom {
  readonly sdk: typeof Sdk;
  readonly container: Sdk.ContainerClient;
  readonly prefix: string;
  readonly lockKey: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

export const objectsOf = (room: AzureRoom): string => `${room.prefix}objects/`;
export const uploadsOf = (room: AzureRoom): string => `${room.prefix}uploads/`;

/** Throws `invalid_blob_key` (400). */
export const blobOf = (room: AzureRoom, key: string): Sdk.BlockBlobClient =>
  room.container.getBlockBlobClient(objectsOf(room) + nameOf(key));

export interface Head {
  readonly info: BlobInfo;
  /** Azure's own, for its conditions. */
  readonly nativeEtag: string;
  readonly kept: Record<string, string>;
}

export async function headOf(room: AzureRoom, key: string, signal: AbortSignal): Promise<Head | undefined> {
  const blob = blobOf(room, key);
  signal.throwIfAborted();
  const told = await asked(
    blob.getProperties({ abortSignal: signal }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
    signal,
  );
  if (told === undefined) return undefined;
  return {
    info: infoOf(key, told, told.contentLength ?? 0),
    nativeEtag: told.etag ?? '',
    kept: told.metadata ?? {},
  };
}

/** The condition in Azure's terms. Refuses here what can be refused now; the store checks again, atomically. */
export async function conditionsFor(
  room: AzureRoom,
  key: string,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<Sdk.BlobRequestConditions> {
  if (!condition.ifAbsent && condition.ifMatch === undefined) return {};
  const head = await headOf(room, key, signal);
  if (condition.ifAbsent) {
    if (head !== undefined) throw blobExists(key);
    return { ifNoneMatch: '*' };
  }
  if (head === undefined || head.info.etag !== condition.ifMatch) throw blobChanged(key);
  return { ifMatch: head.nativeEtag };
}

/** The answer, or the error as the port says it. */
export async function asked<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fromAzureError(error);
  }
}

interface Failure {
  readonly code: string | undefined;
  readonly status: number | undefined;
}

function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || error.name !== 'RestError') return undefined;
  const { statusCode, code, details } = error as Error & {
    statusCode?: number;
    code?: string;
    details?: { errorCode?: string };
  };
  return { status: statusCode, code: details?.errorCode ?? code };
}

export const isMissing = (error: unknown): boolean => {
  const failure = failureOf(error);
  return failure?.status === 404 && failure.code !== 'ContainerNotFound';
};

export const isOutOfRange = (error: unknown): boolean => failureOf(error)?.status === 416;

export function conditionErrorOf(error: unknown, key: string, condition: WriteCondition): unknown {
  const failure = failureOf(error);
  const refused =
    failure?.status === 412 || (failure?.status === 409 && failure.code === 'BlobAlreadyExists');
  if (refused) return condition.ifAbsent ? blobExists(key) : blobChanged(key);
  // It was deleted since it was looked at.
  return condition.ifMatch !== undefined && isMissing(error) ? blobChanged(key) : error;
}

export function fromAzureError(error: unknown): unknown {
  if (error instanceof HaicError) return error;
  const failure = failureOf(error);
  if (failure === undefined && !(error instanceof Error && /Credential|Authentication/.test(error.name)))
    return error;
  if (failure?.status === 507)
    return insufficientStorage('The object store is full. Nothing was changed.', { cause: error });
  const because =
    failure === undefined || failure.status === 401 || failure.status === 403
      ? 'refuses what Haic shows it (credentials, or a role that is missing)'
      : failure.code === 'ContainerNotFound'
        ? 'has no such container'
        : failure.status === undefined
          ? 'cannot be reached'
          : `answers ${failure.status} ${failure.code ?? ''}`.trim();
  return unavailable(
    'storage_unavailable',
    `The object store ${because}. Nothing was changed; whoever runs Haic has to look at it.`,
    { cause: error },
  );
}
