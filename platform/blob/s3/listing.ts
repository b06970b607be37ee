import type { NativeListing } from '../cloud/listing.ts';
import { keyInMetadata } from '../cloud/metadata.ts';
import { asked, isMissing, objectsOf, plainEtag, type S3Room } from './room.ts';

export function listingOf(room: S3Room): NativeListing {
  const { sdk, client, bucket: Bucket } = room;
  const root = objectsOf(room);
  return {
    async *pages({ prefix, after, folders, limit, signal }) {
      let ContinuationToken: string | undefined;
      do {
        signal.throwIfAborted();
        const command = new sdk.ListObjectsV2Command({
          Bucket,
          Prefix: root + prefix,
          MaxKeys: Math.min(limit, 1000),
          ...(folders ? { Delimiter: '/' } : {}),
          ...(ContinuationToken === undefined
            ? after === undefined
              ? {}
              : { StartAfter: root + after }
            : { ContinuationToken }),
        });
        const page = await asked(client.send(command, { abortSignal: signal }), signal);
        yield {
          items: (page.Contents ?? []).map((object) => ({
            name: (object.Key ?? '').slice(root.length),
            size: object.Size ?? 0,
            etag: plainEtag(object.ETag),
            modifiedAt: object.LastModified ?? new Date(0),
          })),
          folders: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix.slice(root.length)),
        };
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined && ContinuationToken !== '');
    },
    keyOf: async (name, signal) => {
      const head = new sdk.HeadObjectCommand({ Bucket, Key: root + name });
      const told = await asked(
        client.send(head, { abortSignal: signal }).catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        }),
        signal,
      );
      return keyInMetadata(told?.Metadata);
    },
  };
}
