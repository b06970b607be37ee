import { addAbortListener } from 'node:events';
import type { Readable } from 'node:stream';
import { createDigests, type DigestAlgorithm } from '../digests.ts';
import { blobCorrupt, blobTooLarge } from '../errors.ts';
import type { ContentOptions } from '../port.ts';
import { algorithmsFor, checkContent } from './receive.ts';

/** Holds a small content whole. Rejects, the content destroyed, when it breaks, is not what the options say, or the signal fires. */
export async function gather(
  content: Readable,
  key: string,
  options: ContentOptions & { readonly size: number },
  etags: DigestAlgorithm,
): Promise<{ bytes: Buffer; size: number; etag: string }> {
  const bytes = await collect(content, key, options);
  const digests = createDigests(algorithmsFor(options, etags));
  await digests.update(bytes);
  const sums = await digests.finish();
  checkContent(key, options, { ...sums, size: bytes.length });
  return { bytes, size: bytes.length, etag: sums[etags] ?? '' };
}

async function collect(
  content: Readable,
  key: string,
  { size: wanted, maxBytes = Number.MAX_SAFE_INTEGER, signal }: ContentOptions & { readonly size: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  using _ = addAbortListener(signal, () => content.destroy(signal.reason as Error));
  try {
    signal.throwIfAborted();
    for await (const piece of content) {
      const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string | Uint8Array);
      size += chunk.length;
      if (size > maxBytes) throw blobTooLarge(key, maxBytes);
      // Whatever follows, it is not what was said, and no more of it is held.
      if (size > wanted) throw blobCorrupt(key, 'size', wanted, size);
      chunks.push(chunk);
    }
    signal.throwIfAborted();
    return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks, size);
  } catch (error) {
    content.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}
