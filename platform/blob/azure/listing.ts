import type { ContainerListBlobHierarchySegmentResponse } from '@azure/storage-blob';
import { etagOf } from '../cloud/attributes.ts';
import { firstLevel, type NativeItem, type NativeListing } from '../cloud/listing.ts';
import { keyInMetadata } from '../cloud/metadata.ts';
import { type AzureRoom, asked, fromAzureError, isMissing, objectsOf } from './room.ts';

/** Azure goes on where it stopped by a mark of its own, and begins at a name. */
export function listingOf(room: AzureRoom): NativeListing {
  const root = objectsOf(room);
  return {
    async *pages({ prefix, after, folders, limit, signal }) {
      const options = {
        prefix: root + prefix,
        includeMetadata: true,
        abortSignal: signal,
        ...(after === undefined || !after.startsWith(prefix)
          ? {}
          : { startFrom: root + (folders ? firstLevel(prefix, after) : after) }),
      };
      const page = { maxPageSize: Math.min(limit, 1000) };
      const pages = folders
        ? room.container.listBlobsByHierarchy('/', options).byPage(page)
        : room.container.listBlobsFlat(options).byPage(page);
      try {
        for await (const { segment } of pages) {
          signal.throwIfAborted();
          yield {
            items: segment.blobItems.map((item) => itemOf(item, root)),
            folders: foldersOf(segment).map(({ name }) => name.slice(root.length)),
          };
        }
      } catch (error) {
        throw signal.aborted ? signal.reason : fromAzureError(error);
      }
    },
    keyOf: async (name, signal) => {
      const told = await asked(
        room.container
          .getBlobClient(root + name)
          .getProperties({ abortSignal: signal })
          .catch((error: unknown) => {
            if (isMissing(error)) return undefined;
            throw error;
          }),
        signal,
      );
      return keyInMetadata(told?.metadata);
    },
  };
}

const foldersOf = (segment: object): readonly { readonly name: string }[] =>
  'blobPrefixes' in segment ? ((segment.blobPrefixes ?? []) as { name: string }[]) : [];

type Item = ContainerListBlobHierarchySegmentResponse['segment']['blobItems'][number];

function itemOf({ name, metadata, properties }: Item, root: string): NativeItem {
  const { contentMD5, etag, lastModified, contentLength = 0 } = properties;
  const key = keyInMetadata(metadata);
  return {
    name: name.slice(root.length),
    size: contentLength,
    etag: etagOf({ metadata, contentMD5, etag }),
    modifiedAt: lastModified,
    ...(key === undefined ? {} : { key }),
  };
}
