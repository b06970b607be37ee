import { randomBytes } from 'node:crypto';
import { noSuchUpload } from '../errors.ts';
import type { BlobAttributes, BlobUpload } from '../port.ts';
import { defaultContentType } from './attributes.ts';

/** Of an upload that a store keeps as a folder `uploads/<id>/`: `upload.json` in there, without which there is no upload. */
export interface UploadNote {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

export const noteName = 'upload.json';

export function newUpload(
  key: string,
  { contentType = defaultContentType, metadata = {} }: BlobAttributes,
): { upload: BlobUpload; note: string } {
  const startedAt = new Date();
  const known = { key, contentType, metadata };
  return {
    upload: { ...known, uploadId: randomBytes(16).toString('hex'), startedAt },
    note: JSON.stringify({ ...known, startedAt: startedAt.toISOString() } satisfies UploadNote),
  };
}

export const uploadOf = (uploadId: string, { startedAt, ...known }: UploadNote): BlobUpload => ({
  ...known,
  uploadId,
  startedAt: new Date(startedAt),
});

export const isUploadId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/** The id comes from outside and becomes a name. Throws `no_such_upload` (404). */
export function checkUploadId(uploadId: string): void {
  if (!isUploadId(uploadId)) throw noSuchUpload(uploadId);
}
