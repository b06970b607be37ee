import { etagOf } from '../cloud/attributes.ts';
import { firstLevel, type NativeItem, type NativeListing } from '../cloud/listing.ts';
import { keyInMetadata } from '../cloud/metadata.ts';
import { compareKeys } from '../key.ts';
import {
  asked,
  askForObject,
  type GcsObject,
  type GcsRoom,
  objectFields,
  objectPath,
  objectsOf,
  toldOf,
} from './room.ts';

interface Page {
  readonly items?: readonly GcsObject[];
  readonly prefixes?: readonly string[];
  readonly nextPageToken?: string;
}

interface Asked {
  readonly prefix: string;
  readonly startOffset?: string;
  readonly delimiter?: string;
  readonly maxResults?: number;
  readonly signal: AbortSignal;
}

/** In byte order of the names. */
export async function* pagesOf(
  room: GcsRoom,
  { signal, ...query }: Asked,
): AsyncGenerator<Required<Omit<Page, 'nextPageToken'>> & { more: boolean }> {
  let pageToken: string | undefined;
  do {
    signal.throwIfAborted();
    const question = {
      method: 'GET',
      path: objectPath(room),
      query: { ...query, pageToken, fields: `nextPageToken,prefixes,items(${objectFields})` },
      signal,
    } as const;
    const { items = [], prefixes = [], nextPageToken } = await asked(room.forJson<Page>(question), signal);
    pageToken = nextPageToken === '' ? undefined : nextPageToken;
    yield { items, prefixes, more: pageToken !== undefined };
  } while (pageToken !== undefined);
}

export function listingOf(room: GcsRoom): NativeListing {
  const root = objectsOf(room);
  return {
    async *pages({ prefix, after, folders, limit, signal }) {
      const asking = {
        prefix: root + prefix,
        maxResults: Math.min(limit, 1000),
        ...(folders ? { delimiter: '/' } : {}),
        ...(after === undefined || !after.startsWith(prefix)
          ? {}
          : { startOffset: root + (folders ? firstLevel(prefix, after) : after) }),
        signal,
      };
      // A page may tell folders that come after its items, and those of the next page before them.
      let held: readonly string[] = [];
      for await (const { items, prefixes, more } of pagesOf(room, asking)) {
        const all = [...new Set([...held, ...prefixes])];
        const last = more ? items.at(-1)?.name : undefined;
        const isLater = (folder: string) => last !== undefined && compareKeys(folder, last) > 0;
        held = all.filter(isLater);
        yield {
          items: items.map((item) => itemOf(item, root)),
          folders: all.filter((folder) => !isLater(folder)).map((folder) => folder.slice(root.length)),
        };
      }
    },
    keyOf: async (name, signal) => keyInMetadata((await askForObject(room, root + name, signal))?.metadata),
  };
}

function itemOf(object: GcsObject, root: string): NativeItem {
  const key = keyInMetadata(object.metadata);
  return {
    name: object.name.slice(root.length),
    size: Number(object.size),
    etag: etagOf(toldOf(object)),
    modifiedAt: new Date(object.timeCreated),
    ...(key === undefined ? {} : { key }),
  };
}
