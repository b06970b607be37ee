import { createHash } from 'node:crypto';
import { invalidPart, noSuchUpload } from './errors.ts';
import { compareKeys } from './key.ts';
import type { StoredPart } from './part-names.ts';
import type { BlobInfo, BlobPart, BlobUpload, UploadRef } from './port.ts';

/** What stores that keep uploads themselves have in common. */

interface UploadsAsked {
  readonly prefix: string;
  readonly after?: { key: string; uploadId?: string };
  readonly limit?: number;
}

export function pageOfUploads(
  all: readonly BlobUpload[],
  { prefix, after, limit = 1000 }: UploadsAsked,
): { uploads: readonly BlobUpload[]; more: boolean } {
  const uploads = all
    .filter((upload) => upload.key.startsWith(prefix) && (after === undefined || order(upload, after) > 0))
    .sort(order);
  return { uploads: uploads.slice(0, limit), more: uploads.length > limit };
}

/** Without an id it stands after all uploads of its key. */
function order(a: UploadRef, b: { key: string; uploadId?: string }): number {
  return compareKeys(a.key, b.key) || (b.uploadId === undefined ? -1 : compareKeys(a.uploadId, b.uploadId));
}

export function pageOfParts(
  all: Iterable<StoredPart>,
  { after = 0, limit = 1000 }: { after?: number; limit?: number },
): { parts: readonly BlobPart[]; more: boolean } {
  const parts = [...all]
    .filter((part) => part.partNumber > after)
    .sort((a, b) => a.partNumber - b.partNumber)
    .map(partOf);
  return { parts: parts.slice(0, limit), more: parts.length > limit };
}

export const partOf = ({ partNumber, size, etag, modifiedAt }: StoredPart): BlobPart => ({
  partNumber,
  size,
  etag,
  modifiedAt,
});

/** Throws `invalid_part` (400) for one that is not there or has another etag. */
export function chooseParts(
  parts: readonly { partNumber: number; etag: string }[],
  stored: ReadonlyMap<number, StoredPart>,
): StoredPart[] {
  return parts.map(({ partNumber, etag }) => {
    const part = stored.get(partNumber);
    if (part === undefined || part.etag !== etag) throw invalidPart(partNumber);
    return part;
  });
}

export function etagOfParts(parts: readonly { etag: string }[], algorithm = 'md5'): string {
  const hash = createHash(algorithm);
  for (const { etag } of parts) hash.update(Buffer.from(etag, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

/** Of an upload that is gone: the answer to the first completion may have got lost. Throws `no_such_upload` (404) when it was none. */
export function completedBefore(
  blob: BlobInfo | undefined,
  { uploadId }: UploadRef,
  parts: readonly { etag: string }[],
): BlobInfo {
  if (blob?.etag !== etagOfParts(parts)) throw noSuchUpload(uploadId);
  return blob;
}
