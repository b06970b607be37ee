import { type StrayOptions, settledBefore, withoutNote } from '../cloud/strays.ts';
import { pagesOf } from './listing.ts';
import { uploadsOf } from './room.ts';
import { createGcsRoom, type GcsStoreOptions } from './store.ts';

/** Names of objects that belonged to an upload and to nothing any more: its end was cut off. */
export async function findGcsStrays(store: GcsStoreOptions, options: StrayOptions): Promise<string[]> {
  const room = createGcsRoom(store);
  const prefix = uploadsOf(room);
  const found: { name: string; modifiedAt: Date }[] = [];
  for await (const { items } of pagesOf(room, { prefix, signal: options.signal }))
    for (const { name, timeCreated } of items)
      found.push({ name: name.slice(prefix.length), modifiedAt: new Date(timeCreated) });
  return withoutNote(found, settledBefore(options)).map(({ name }) => prefix + name);
}
