import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { type StrayOptions, settledBefore } from '../cloud/strays.ts';
import { asked, objectsOf, type S3Room } from './room.ts';
import { createS3Room, type S3StoreOptions } from './store.ts';
import { nameOfNote, readNotes } from './upload-notes.ts';

/**
 * What a crash left of an upload, by name: S3's upload without a note of ours, which no listing tells and whose parts are paid for; and a
 * note of an upload that S3 has ended, by a rule of the bucket for example.
 */
export async function findS3Strays(store: S3StoreOptions, options: StrayOptions): Promise<string[]> {
  const room = createS3Room(store);
  const before = settledBefore(options);
  const notes = await readNotes(room, options.signal);
  const going = await uploadsIn(room, options.signal);
  const noted = new Set(notes.map(({ uploadId }) => uploadId));
  return [
    ...[...going]
      .filter(([id, { startedAt }]) => !noted.has(id) && startedAt.getTime() <= before)
      .map(([id, { name }]) => `${name} (upload ${id})`),
    ...notes
      .filter(({ uploadId, startedAt }) => !going.has(uploadId) && startedAt.getTime() <= before)
      .map((note) => nameOfNote(room, note)),
  ];
}

async function uploadsIn(room: S3Room, signal: AbortSignal) {
  const uploads = new Map<string, { readonly name: string; readonly startedAt: Date }>();
  let KeyMarker: string | undefined;
  let UploadIdMarker: string | undefined;
  do {
    const asking = { Bucket: room.bucket, Prefix: objectsOf(room), KeyMarker, UploadIdMarker };
    const command = new room.sdk.ListMultipartUploadsCommand(asking);
    const page: ListMultipartUploadsCommandOutput = await asked(
      room.client.send(command, { abortSignal: signal }),
      signal,
    );
    for (const { Key = '', UploadId = '', Initiated = new Date() } of page.Uploads ?? [])
      uploads.set(UploadId, { name: Key, startedAt: Initiated });
    KeyMarker = page.IsTruncated ? page.NextKeyMarker : undefined;
    UploadIdMarker = page.NextUploadIdMarker;
  } while (KeyMarker);
  return uploads;
}
