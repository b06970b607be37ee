import { HaicError, unavailable } from '@haic/kit/errors.ts';
import { infoOf, type Told } from '../cloud/attributes.ts';
import { nameOf } from '../cloud/names.ts';
import { blobChanged, blobExists } from '../errors.ts';
import type { BlobInfo, WriteCondition } from '../port.ts';
import { type Asking, GcsFailure, type Question } from './ask.ts';

/** What the verbs of the store share. */
export interface GcsRoom extends Asking {
  readonly bucket: string;
  readonly prefix: string;
  readonly lockKey: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

export const objectsOf = (room: GcsRoom): string => `${room.prefix}objects/`;
export const uploadsOf = (room: GcsRoom): string => `${room.prefix}uploads/`;

/** Throws `invalid_blob_key` (400). */
export const nameAt = (room: GcsRoom, key: string): string => objectsOf(room) + nameOf(key);

/** An object as the JSON API tells it; 64-bit numbers are texts there. */
export interface GcsObject {
  readonly name: string;
  readonly generation: string;
  readonly size: string;
  /** Base64. Not of what was composed. */
  readonly md5Hash?: string;
  readonly etag?: string;
  readonly timeCreated: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export const objectFields = 'name,generation,size,md5Hash,etag,timeCreated,metadata';

export const toldOf = ({ md5Hash, etag, timeCreated, metadata }: GcsObject): Told => ({
  metadata,
  contentMD5: md5Hash === undefined ? undefined : Buffer.from(md5Hash, 'base64'),
  etag,
  lastModified: new Date(timeCreated),
});

export const objectPath = (room: GcsRoom, name?: string): string =>
  `/storage/v1/b/${encodeURIComponent(room.bucket)}/o${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;

export async function askForObject(
  room: GcsRoom,
  name: string,
  signal: AbortSignal,
): Promise<GcsObject | undefined> {
  const question = {
    method: 'GET',
    path: objectPath(room, name),
    query: { fields: objectFields },
    signal,
  } as const;
  return asked(room.forJson<GcsObject>(question).catch(undefinedIfMissing), signal);
}

export interface Head {
  readonly info: BlobInfo;
  /** Of the object's content, for conditions. */
  readonly generation: string;
}

export async function headOf(room: GcsRoom, key: string, signal: AbortSignal): Promise<Head | undefined> {
  const object = await askForObject(room, nameAt(room, key), signal);
  if (object === undefined) return undefined;
  return { info: infoOf(key, toldOf(object), Number(object.size)), generation: object.generation };
}

/** The condition in Google's terms. Refuses here what can be refused now; the store checks again, atomically. */
export async function conditionFor(
  room: GcsRoom,
  key: string,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<NonNullable<Question['query']>> {
  if (!condition.ifAbsent && condition.ifMatch === undefined) return {};
  const head = await headOf(room, key, signal);
  if (condition.ifAbsent) {
    if (head !== undefined) throw blobExists(key);
    return { ifGenerationMatch: 0 };
  }
  if (head === undefined || head.info.etag !== condition.ifMatch) throw blobChanged(key);
  return { ifGenerationMatch: head.generation };
}

export function conditionErrorOf(error: unknown, key: string, condition: WriteCondition): unknown {
  if (statusOf(error) !== 412) return error;
  return condition.ifAbsent ? blobExists(key) : blobChanged(key);
}

/** The answer, or the error as the port says it. */
export async function asked<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fromGcsError(error);
  }
}

export const statusOf = (error: unknown): number | undefined =>
  error instanceof GcsFailure ? error.status : undefined;

export const isMissing = (error: unknown): boolean =>
  error instanceof GcsFailure &&
  error.status === 404 &&
  !/bucket does not exist|NoSuchBucket/.test(error.message);

export function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

export function fromGcsError(error: unknown): unknown {
  if (error instanceof HaicError) return error;
  if (!(error instanceof GcsFailure)) return error;
  const { status } = error;
  const because =
    status === 401 || status === 403
      ? 'refuses what Haic shows it (credentials, or a role that is missing)'
      : status === 404
        ? 'has no such bucket'
        : status === undefined
          ? 'cannot be reached'
          : `answers ${status}`;
  return unavailable(
    'storage_unavailable',
    `The object store ${because}. Nothing was changed; whoever runs Haic has to look at it.`,
    { cause: error },
  );
}
