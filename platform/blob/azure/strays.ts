import { type StrayOptions, settledBefore, withoutNote } from '../cloud/strays.ts';
import { asked, uploadsOf } from './room.ts';
import { type AzureStoreOptions, createAzureRoom } from './store.ts';

/** Names of blobs that belonged to an upload and to nothing any more: its end was cut off. */
export async function findAzureStrays(store: AzureStoreOptions, options: StrayOptions): Promise<string[]> {
  const room = createAzureRoom(store);
  const prefix = uploadsOf(room);
  const { signal } = options;
  const found: { name: string; modifiedAt: Date }[] = [];
  const listing = async () => {
    for await (const { name, properties } of room.container.listBlobsFlat({ prefix, abortSignal: signal }))
      found.push({ name: name.slice(prefix.length), modifiedAt: properties.lastModified });
  };
  await asked(listing(), signal);
  return withoutNote(found, settledBefore(options)).map(({ name }) => prefix + name);
}
