import type { Readable } from 'node:stream';
import { etagToKeep, infoOf, metadataFor } from '../cloud/attributes.ts';
import { blobChanged, checkRange, rangeNotSatisfiable } from '../errors.ts';
import type { BlobInfo, ByteRange, CopyOptions } from '../port.ts';
import {
  type AzureRoom,
  asked,
  blobOf,
  conditionErrorOf,
  conditionsFor,
  fromAzureError,
  headOf,
  isMissing,
  isOutOfRange,
} from './room.ts';

export async function getBlob(
  room: AzureRoom,
  key: string,
  { range, signal }: { range?: ByteRange; signal: AbortSignal },
): Promise<{ info: BlobInfo; content: Readable } | undefined> {
  const blob = blobOf(room, key);
  signal.throwIfAborted();
  const checked = checkRange(key, Number.MAX_SAFE_INTEGER, range);
  const count =
    checked === undefined || range?.end === undefined ? undefined : checked.end - checked.start + 1;
  const told = await asked(
    blob
      .download(checked?.start ?? 0, count, { abortSignal: signal, maxRetryRequests: 3 })
      .catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        if (isOutOfRange(error)) throw rangeNotSatisfiable(key);
        throw error;
      }),
    signal,
  );
  const content = told?.readableStreamBody as Readable | undefined;
  if (told === undefined || content === undefined) return undefined;
  // Who gives up before anybody reads ends it with an error; one that nobody hears would end the process.
  content.on('error', () => undefined);
  const total = /\/(\d+)$/.exec(told.contentRange ?? '')?.[1];
  const size = total === undefined ? (told.contentLength ?? 0) : Number(total);
  if (checked !== undefined && checked.start >= size) {
    content.destroy();
    throw rangeNotSatisfiable(key);
  }
  const contentMD5 = told.blobContentMD5 ?? (total === undefined ? told.contentMD5 : undefined);
  return {
    // What the answer says are getters of its class: no spread would copy them.
    info: infoOf(
      key,
      { metadata: told.metadata, contentMD5, etag: told.etag, lastModified: told.lastModified },
      size,
    ),
    content,
  };
}

export async function deleteBlob(
  room: AzureRoom,
  key: string,
  { ifMatch, signal }: { ifMatch?: string; signal: AbortSignal },
): Promise<void> {
  const blob = blobOf(room, key);
  signal.throwIfAborted();
  const condition = ifMatch === undefined ? {} : { ifMatch };
  const conditions = await conditionsFor(room, key, condition, signal);
  await asked(
    blob.delete({ conditions, abortSignal: signal }).catch((error: unknown) => {
      const refused = conditionErrorOf(error, key, condition);
      if (refused !== error) throw refused;
      if (!isMissing(error)) throw error;
    }),
    signal,
  );
}

export async function copyBlob(
  room: AzureRoom,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<BlobInfo | undefined> {
  const { signal, ifSourceMatch } = options;
  blobOf(room, target);
  const original = await headOf(room, source, signal);
  if (original === undefined) return undefined;
  if (ifSourceMatch !== undefined && original.info.etag !== ifSourceMatch) throw blobChanged(source);
  const conditions = await conditionsFor(room, target, options, signal);
  const metadata = metadataFor(target, options.replace ?? original.info, etagToKeep(original.info.etag));
  try {
    await startCopy(room, blobOf(room, source).url, target, {
      metadata,
      conditions,
      sourceConditions: { ifMatch: original.nativeEtag },
      abortSignal: signal,
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isMissing(error)) return undefined;
    throw fromAzureError(conditionErrorOf(error, target, options));
  }
  return infoOf(target, { ...original, metadata, contentMD5: md5Of(original.info.etag) }, original.info.size);
}

const md5Of = (etag: string) => (/^[0-9a-f]{32}$/.test(etag) ? Buffer.from(etag, 'hex') : undefined);

/** Within one account Azure copies at once; where it does not, it is waited for. */
export async function startCopy(
  room: AzureRoom,
  source: string,
  target: string,
  options: NonNullable<Parameters<ReturnType<typeof blobOf>['beginCopyFromURL']>[1]>,
): Promise<void> {
  const poller = await blobOf(room, target).beginCopyFromURL(source, { ...options, intervalInMs: 200 });
  await poller.pollUntilDone();
}
