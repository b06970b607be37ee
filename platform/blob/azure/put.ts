import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { infoOf, metadataFor } from '../cloud/attributes.ts';
import {
  checkedContent,
  failureOfSending,
  inBlocks,
  type Sums,
  sendStream,
} from '../cloud/checked-content.ts';
import type { BlobInfo, PutOptions } from '../port.ts';
import { type AzureRoom, blobOf, conditionErrorOf, conditionsFor, fromAzureError } from './room.ts';

/** What Azure takes in one go is a little more. */
const mostAtOnce = 4_000 * 1024 ** 2;
/** Of a content that goes in blocks: held one at a time. Larger ones later on: 50,000 suffice for terabytes. */
const blockSize = (block: number) => (block < 1_000 ? 8 : 64) * 1024 ** 2;

type Conditions = Awaited<ReturnType<typeof conditionsFor>>;

export async function putBlob(
  room: AzureRoom,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  const { signal, size } = options;
  try {
    blobOf(room, key);
    signal.throwIfAborted();
    const conditions = await conditionsFor(room, key, options, signal);
    let sums: Sums = { size: 0 };
    const pieces = checkedContent(content, key, options, { md5: true, tell: (told) => (sums = told) });
    await sendStream(content, pieces, signal, (body, sending) =>
      size !== undefined && size > 0 && size <= mostAtOnce
        ? putWhole(room, key, once(body), size, options, conditions, sending)
        : putBlocks(room, key, body, options, conditions, sending, () => sums),
    );
    const contentMD5 = sums.md5 === undefined ? undefined : Buffer.from(sums.md5, 'hex');
    return infoOf(key, { metadata: metadataFor(key, options), contentMD5 }, sums.size);
  } catch (error) {
    content.destroy();
    if (signal.aborted) throw signal.reason;
    throw failureOfSending(error, (failed) => fromAzureError(conditionErrorOf(failed, key, options)));
  }
}

/** A stream cannot be sent again: what failed is told to the caller, who has the content. */
export function once(body: Readable): () => Readable {
  let used = false;
  return () => {
    if (used) throw new Error('The content can be sent once only.');
    used = true;
    return body;
  };
}

async function putWhole(
  room: AzureRoom,
  key: string,
  body: (() => Readable) | Buffer,
  size: number,
  options: PutOptions,
  conditions: Conditions,
  abortSignal: AbortSignal,
): Promise<void> {
  await blobOf(room, key).upload(body, size, {
    metadata: metadataFor(key, options),
    conditions,
    abortSignal,
  });
}

/** Committing a blob forgets the blocks of others for it, so one such content a key is taken at a time. */
function putBlocks(
  room: AzureRoom,
  key: string,
  body: Readable,
  options: PutOptions,
  conditions: Conditions,
  abortSignal: AbortSignal,
  sums: () => Sums,
): Promise<void> {
  const blob = blobOf(room, key);
  const mine = randomBytes(8).toString('hex');
  const ids: string[] = [];
  const send = async () => {
    for await (const block of inBlocks(body, blockSize)) {
      if (ids.length === 0 && block.length < blockSize(0) && body.readableEnded)
        return putWhole(room, key, block, block.length, options, conditions, abortSignal);
      const id = Buffer.from(`${mine}${String(ids.length).padStart(6, '0')}`).toString('base64');
      const transactionalContentMD5 = createHash('md5').update(block).digest();
      await blob.stageBlock(id, block, block.length, { transactionalContentMD5, abortSignal });
      ids.push(id);
    }
    await blob.commitBlockList(ids, {
      metadata: metadataFor(key, options),
      blobHTTPHeaders: { blobContentMD5: Buffer.from(sums().md5 ?? '', 'hex') },
      conditions,
      abortSignal,
    });
  };
  return room.lockKey(key, send);
}
