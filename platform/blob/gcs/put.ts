import type { Readable } from 'node:stream';
import { infoOf, metadataFor } from '../cloud/attributes.ts';
import { checkedContent, failureOfSending, sendStream } from '../cloud/checked-content.ts';
import type { BlobInfo, ContentOptions, PutOptions } from '../port.ts';
import type { Question } from './ask.ts';
import {
  conditionErrorOf,
  conditionFor,
  fromGcsError,
  type GcsObject,
  type GcsRoom,
  nameAt,
  objectFields,
  objectPath,
  toldOf,
} from './room.ts';

export async function putBlob(
  room: GcsRoom,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  const { signal } = options;
  try {
    const name = nameAt(room, key);
    signal.throwIfAborted();
    const query = await conditionFor(room, key, options, signal);
    const attributes = { name, metadata: metadataFor(key, options) };
    const object = await sendObject(room, content, { ...options, key, attributes, query });
    return infoOf(key, toldOf(object), Number(object.size));
  } catch (error) {
    content.destroy();
    if (signal.aborted) throw signal.reason;
    throw failureOfSending(error, (failed) => fromGcsError(conditionErrorOf(failed, key, options)));
  }
}

/** In one request, of any length: Google keeps nothing of one that does not come to its end, which is how a content is refused. */
export function sendObject(
  room: GcsRoom,
  content: Readable,
  options: ContentOptions & {
    readonly key: string;
    readonly attributes: { readonly name: string; readonly metadata?: Readonly<Record<string, string>> };
    readonly query?: Question['query'];
  },
): Promise<GcsObject> {
  const { key, attributes, query } = options;
  const pieces = checkedContent(content, key, options, { md5: false, tell: () => undefined });
  return sendStream(content, pieces, options.signal, (body, signal) =>
    room.forJson<GcsObject>({
      method: 'POST',
      path: `/upload${objectPath(room)}`,
      query: { uploadType: 'multipart', name: attributes.name, fields: objectFields, ...query },
      upload: { attributes, content: body },
      signal,
    }),
  );
}
