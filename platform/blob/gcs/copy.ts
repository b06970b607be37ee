import { etagToKeep, infoOf, metadataFor } from '../cloud/attributes.ts';
import { blobChanged } from '../errors.ts';
import type { BlobInfo, CopyOptions } from '../port.ts';
import {
  asked,
  conditionErrorOf,
  conditionFor,
  type GcsObject,
  type GcsRoom,
  headOf,
  isMissing,
  nameAt,
  objectFields,
  objectPath,
  toldOf,
} from './room.ts';

interface Rewritten {
  readonly done: boolean;
  readonly rewriteToken?: string;
  readonly resource?: GcsObject;
}

/** Of the very content that was looked at, and by Google: large ones, or ones between classes of storage, in several steps. */
export async function copyBlob(
  room: GcsRoom,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<BlobInfo | undefined> {
  const { signal, ifSourceMatch } = options;
  const to = objectPath(room, nameAt(room, target));
  const original = await headOf(room, source, signal);
  if (original === undefined) return undefined;
  if (ifSourceMatch !== undefined && original.info.etag !== ifSourceMatch) throw blobChanged(source);
  const condition = await conditionFor(room, target, options, signal);
  const metadata = metadataFor(target, options.replace ?? original.info, etagToKeep(original.info.etag));
  const from = objectPath(room, nameAt(room, source));
  let rewriteToken: string | undefined;
  for (;;) {
    const step = room.forJson<Rewritten>({
      method: 'POST',
      path: `${from}/rewriteTo${to.slice('/storage/v1'.length)}`,
      query: {
        ...condition,
        sourceGeneration: original.generation,
        rewriteToken,
        fields: `done,rewriteToken,resource(${objectFields})`,
      },
      json: { metadata },
      signal,
    });
    const told = await asked(
      step.catch((error: unknown) => {
        if (!isMissing(error)) throw conditionErrorOf(error, target, options);
        // Replaced or deleted since it was looked at.
        if (ifSourceMatch !== undefined) throw blobChanged(source);
        return undefined;
      }),
      signal,
    );
    if (told === undefined) return undefined;
    if (told.done && told.resource !== undefined)
      return infoOf(target, toldOf(told.resource), Number(told.resource.size));
    rewriteToken = told.rewriteToken;
  }
}
