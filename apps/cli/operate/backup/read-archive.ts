import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { decrypting, encryptedMagic, WrongPassphrase } from './encryption.ts';
import { type BackupHeader, formatVersion, type Manifest, type PartSum, parts, plainEnd } from './format.ts';
import { Damaged, type TarEntry, tarEntries } from './tar.ts';

export interface Part {
  readonly name: string;
  /** What is not read of it is read over. */
  readonly content: AsyncIterable<Buffer>;
}

export async function isEncrypted(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    return (await readAt(handle, 0, encryptedMagic.length)).equals(encryptedMagic);
  } finally {
    await handle.close();
  }
}

/** Where the compressed bytes end. */
async function plainLength(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const length = (await handle.stat()).size - plainEnd.length;
    if (length > 0 && (await readAt(handle, length, plainEnd.length)).equals(plainEnd)) return length;
    throw new Damaged('it ends too early, or is no backup of Haic');
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * Goes through a backup, part by part. Resolves when the last was read and every one was as it had been written; throws
 * `Damaged`, `WrongPassphrase` or `Unreadable` otherwise, which may come after parts were handed out.
 */
export async function readArchive(
  file: string,
  options: { passphrase: string | undefined; signal: AbortSignal },
  onPart: (part: Part, header: BackupHeader) => Promise<void>,
): Promise<BackupHeader> {
  const { passphrase } = options;
  const bytes = openBytes(
    passphrase === undefined
      ? createReadStream(file, { end: (await plainLength(file)) - 1 })
      : createReadStream(file, { start: encryptedMagic.length }),
    options,
  );
  const sums: PartSum[] = [];
  let header: BackupHeader | undefined;
  let manifest: PartSum & { text: string } = { name: '', size: 0, sha256: '', text: '' };
  let seal: string | undefined;
  try {
    for await (const { content, sum, name } of partsOf(tarEntries(bytes.content))) {
      if (seal !== undefined) throw new Damaged('something follows its end');
      if (name === parts.header) header = checkedHeader(await textOf(content));
      else if (name === parts.manifest) manifest = { text: await textOf(content), ...sum() };
      else if (name === parts.seal) seal = (await textOf(content)).trim();
      else if (header === undefined) throw new Unreadable('It is no backup of Haic.');
      else await onPart({ name, content }, header);
      for await (const _ of content);
      if (name !== parts.manifest && name !== parts.seal) sums.push(sum());
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw (await bytes.failure()) ?? error;
  } finally {
    bytes.content.destroy();
  }
  if (header === undefined || seal === undefined) throw new Damaged('it ends too early');
  if (manifest.sha256 !== seal) throw new Damaged('its manifest was changed');
  checkSums((JSON.parse(manifest.text) as Manifest).parts, sums);
  return header;
}

/** It is whole, and still not for this Haic. */
export class Unreadable extends Error {}

function checkedHeader(text: string): BackupHeader {
  const header = JSON.parse(text) as BackupHeader;
  if (header.format > formatVersion)
    throw new Unreadable(
      `It was made by Haic ${header.haic} in format ${header.format}; this Haic reads up to ${formatVersion}. Restore it with that Haic.`,
    );
  return header;
}

function checkSums(expected: readonly PartSum[], found: readonly PartSum[]): void {
  if (expected.length !== found.length) throw new Damaged('parts of it are missing');
  for (const [index, { name, size, sha256 }] of expected.entries()) {
    const part = found[index];
    if (part?.name !== name || part.size !== size || part.sha256 !== sha256)
      throw new Damaged(`${name} is not what was written`);
  }
}

function openBytes(
  stored: Readable,
  { passphrase, signal }: { passphrase: string | undefined; signal: AbortSignal },
) {
  const content = new PassThrough();
  let failure: unknown;
  const plain = createZstdDecompress();
  const done =
    passphrase === undefined
      ? pipeline(stored, plain, content, { signal })
      : pipeline(stored, decrypting(passphrase), plain, content, { signal });
  const settled = done.catch((error: unknown) => {
    failure = error instanceof WrongPassphrase || isSystemError(error) ? error : new Damaged(whyOf(error));
    content.destroy(error instanceof Error ? error : undefined);
  });
  return {
    content: content as Readable,
    /** Why the bytes ended, if it was their fault and not their reader's. */
    failure: async () => {
      if (content.errored !== null) await settled;
      return failure;
    },
  };
}

const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'errno' in error && 'syscall' in error;
const whyOf = (error: unknown): unknown =>
  error instanceof Damaged ? error : new Error('it cannot be unpacked');

interface ReadPart extends Part {
  /** After all of the content was read. */
  readonly sum: () => PartSum;
}

async function* partsOf(entries: AsyncGenerator<TarEntry>): AsyncGenerator<ReadPart> {
  let next = await entries.next();
  while (next.done !== true) {
    const name = next.value.name;
    const hash = createHash('sha256');
    let size = 0;
    let number = 1;
    async function* contentOf(): AsyncGenerator<Buffer> {
      while (next.done !== true && next.value.name === (number === 1 ? name : `${name}~${number}`)) {
        const { content } = next.value;
        hash.update(content);
        size += content.length;
        number += 1;
        next = await entries.next();
        yield content;
      }
    }
    const started = contentOf();
    // One and the same for all who ask: what a reader left is read on, not anew.
    const content = { [Symbol.asyncIterator]: () => ({ next: () => started.next() }) };
    yield { name, content, sum: () => ({ name, size, sha256: hash.digest('hex') }) };
  }
}

/** Small parts alone; what claims to be one and is not ends here. */
export async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > 256 * 1024 * 1024) throw new Damaged('a part is impossibly long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
