import { createHash } from 'node:crypto';
import type { BlobUpload, UploadRef } from '../port.ts';
import { asked, isMissing, type S3Room, uploadsOf } from './room.ts';

/**
 * What S3 does not say of an upload that has begun (type, metadata, the key of a hashed name), as a small object beside the blobs. Uploads
 * are few, and short-lived.
 */
interface Note {
  readonly key: string;
  readonly uploadId: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

export const nameOfNote = (room: S3Room, { uploadId }: Pick<UploadRef, 'uploadId'>): string =>
  `${uploadsOf(room)}${createHash('sha256').update(uploadId).digest('hex')}`;

const at = (room: S3Room, uploadId: string) => ({
  Bucket: room.bucket,
  Key: nameOfNote(room, { uploadId }),
});

export async function writeNote(room: S3Room, upload: BlobUpload, signal: AbortSignal): Promise<void> {
  const Body = JSON.stringify({ ...upload, startedAt: upload.startedAt.toISOString() } satisfies Note);
  const put = new room.sdk.PutObjectCommand({
    ...at(room, upload.uploadId),
    Body,
    ContentType: 'application/json',
  });
  await asked(room.client.send(put, { abortSignal: signal }), signal);
}

export const readNote = (
  room: S3Room,
  { uploadId }: UploadRef,
  signal: AbortSignal,
): Promise<BlobUpload | undefined> => readAt(room, at(room, uploadId).Key, signal);

async function readAt(room: S3Room, Key: string, signal: AbortSignal): Promise<BlobUpload | undefined> {
  const get = new room.sdk.GetObjectCommand({ Bucket: room.bucket, Key });
  const told = await asked(
    room.client.send(get, { abortSignal: signal }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
    signal,
  );
  if (told === undefined) return undefined;
  const note = JSON.parse((await told.Body?.transformToString()) ?? '') as Note;
  return { ...note, startedAt: new Date(note.startedAt) };
}

export async function readNotes(room: S3Room, signal: AbortSignal): Promise<BlobUpload[]> {
  const notes: BlobUpload[] = [];
  let ContinuationToken: string | undefined;
  do {
    const list = {
      Bucket: room.bucket,
      Prefix: uploadsOf(room),
      ...(ContinuationToken && { ContinuationToken }),
    };
    const page = await asked(
      room.client.send(new room.sdk.ListObjectsV2Command(list), { abortSignal: signal }),
      signal,
    );
    const read = (page.Contents ?? []).map(({ Key = '' }) => readAt(room, Key, signal));
    for (const note of await Promise.all(read)) if (note !== undefined) notes.push(note);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return notes;
}

export async function removeNote(room: S3Room, { uploadId }: UploadRef, signal: AbortSignal): Promise<void> {
  const remove = new room.sdk.DeleteObjectCommand(at(room, uploadId));
  await asked(room.client.send(remove, { abortSignal: signal }), signal);
}
