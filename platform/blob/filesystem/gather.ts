import { addAbortListener } from 'node:events';
import { finished, type Readable } from 'node:stream';
import { blobCorrupt, blobTooLarge } from '../errors.ts';
import type { ContentOptions } from '../port.ts';

/**
 * Holds a small content whole, in memory of its own. Rejects, the content destroyed, when it breaks, has not the size that it was said to
 * have, or the signal fires.
 */
export async function gather(
  content: Readable,
  key: string,
  { size, maxBytes = Number.MAX_SAFE_INTEGER, signal }: ContentOptions & { readonly size: number },
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let gathered = 0;
  const take = (piece: Buffer | Uint8Array | string): void => {
    const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string | Uint8Array);
    if (gathered + chunk.length > maxBytes) throw blobTooLarge(key, maxBytes);
    // Whatever follows, it is not what was said, and no more of it is held.
    if (gathered + chunk.length > size) throw blobCorrupt(key, 'size', size, gathered + chunk.length);
    gathered += chunk.copy(bytes, gathered);
  };
  using _ = addAbortListener(signal, () => content.destroy(signal.reason as Error));
  try {
    signal.throwIfAborted();
    await eachPiece(content, take);
    signal.throwIfAborted();
    if (gathered < size) throw blobCorrupt(key, 'size', size, gathered);
    return bytes;
  } catch (error) {
    content.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

/** As `for await` does, without a promise for each. */
function eachPiece(content: Readable, take: (piece: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    finished(content, { writable: false }, (error) => (error ? reject(error) : resolve()));
    content.on('data', (piece: Buffer) => {
      try {
        take(piece);
      } catch (error) {
        reject(error);
        content.destroy();
      }
    });
  });
}
