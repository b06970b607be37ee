import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { encrypting } from './encryption.ts';
import { type PartSum, parts, plainEnd } from './format.ts';
import { chunkBytes, tarEnd, tarEntry } from './tar.ts';

export interface ArchiveWriter {
  /** Parts are read in the order in which they are written. */
  add(name: string, content: AsyncIterable<Uint8Array>): Promise<PartSum>;
  addText(name: string, text: string): Promise<PartSum>;
  /** The manifest, the disk, and then the name: until this has returned there is no file of that name. Returns its length. */
  finish(): Promise<number>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** Refuses a file that exists: a backup that is good must not be lost to one that fails. */
export async function writeArchive(
  file: string,
  options: { passphrase: string | undefined; signal: AbortSignal },
): Promise<ArchiveWriter> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.part`);
  await refuseExisting(file);
  const target = createWriteStream(temporary, { flags: 'wx', mode: 0o600 });
  await once(target, 'open');
  const entries = new PassThrough({ highWaterMark: chunkBytes });
  // The checksum of zstd makes `zstd --test` useful; the manifest is what a restore goes by.
  const compressed = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const { passphrase, signal } = options;
  const written =
    passphrase === undefined
      ? pipeline(entries, compressed, withEnd, target, { signal })
      : pipeline(entries, compressed, encrypting(passphrase), target, { signal });
  let failure: unknown;
  written.catch((error: unknown) => {
    failure = signal.aborted ? signal.reason : error;
    entries.destroy();
  });
  const seconds = Math.floor(Date.now() / 1000);
  const sums: PartSum[] = [];

  async function write(bytes: Buffer): Promise<void> {
    if (failure === undefined && !entries.write(bytes)) {
      // Whoever closes it because the disk is full never drains it.
      await Promise.race([once(entries, 'drain'), once(entries, 'close')]).catch(() => undefined);
    }
    if (failure !== undefined) throw failure;
    signal.throwIfAborted();
  }

  async function add(name: string, content: AsyncIterable<Uint8Array>): Promise<PartSum> {
    const hash = createHash('sha256');
    let size = 0;
    let number = 1;
    const put = async (chunk: Buffer) => {
      hash.update(chunk);
      size += chunk.length;
      await write(tarEntry(number === 1 ? name : `${name}~${number}`, chunk, seconds));
      number += 1;
    };
    let held: Uint8Array[] = [];
    let length = 0;
    for await (const piece of content) {
      held.push(piece);
      length += piece.length;
      while (length >= chunkBytes) {
        const all = Buffer.concat(held);
        await put(all.subarray(0, chunkBytes));
        held = [all.subarray(chunkBytes)];
        length -= chunkBytes;
      }
    }
    if (length > 0 || number === 1) await put(Buffer.concat(held));
    const sum = { name, size, sha256: hash.digest('hex') };
    sums.push(sum);
    return sum;
  }

  const addText = (name: string, text: string) => add(name, one(Buffer.from(text)));

  return {
    add,
    addText,
    async finish() {
      const { sha256 } = await addText(parts.manifest, JSON.stringify({ parts: sums }, undefined, 1));
      await addText(parts.seal, `${sha256}\n`);
      await write(tarEnd());
      entries.end();
      await written;
      const size = await syncFile(temporary);
      await refuseExisting(file);
      await rename(temporary, file);
      await syncFile(path.dirname(file));
      return size;
    },
    async discard() {
      entries.destroy();
      await written.catch(() => undefined);
      await rm(temporary, { force: true });
    },
  };
}

async function* withEnd(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* compressed;
  yield plainEnd;
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) throw new Error(`${file} exists already. Choose another name, or remove it first.`);
}

async function syncFile(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}
