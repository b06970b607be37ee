import { messageOf } from '@haic/kit/errors.ts';

/**
 * The outer form of a backup: a ustar archive of small regular files, which any tar can list and unpack. A part that is longer than one
 * chunk goes on in further files (`name`, `name~2`, `name~3` …): so no length has to be known before its last byte, and none is ever
 * more than a chunk in memory. Names are our own: ASCII, at most 100 bytes.
 */
export interface TarEntry {
  readonly name: string;
  readonly content: Buffer;
}

export const chunkBytes = 4 * 1024 * 1024;
const block = 512;

export function tarEntry(name: string, content: Buffer, seconds: number): Buffer {
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header(name, content.length, seconds), content, padding]);
}

/** Two empty blocks: without them an archive was cut off. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block);

function header(name: string, size: number, seconds: number): Buffer {
  const head = Buffer.alloc(block);
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new Error(`"${name}" is no name for a part of a backup.`);
  const octal = (value: number, at: number, digits: number) =>
    head.write(value.toString(8).padStart(digits, '0'), at, 'ascii');
  head.write(name, 0, 'ascii');
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(seconds, 136, 11);
  head.write('0', 156, 'ascii');
  head.write('ustar\x0000', 257, 'ascii');
  octal(checksumOf(head), 148, 6);
  head.write('\0 ', 154, 'ascii');
  return head;
}

/** Of the header with its own field taken for blanks. */
function checksumOf(head: Buffer): number {
  let sum = 0;
  for (const [index, byte] of head.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}

/** Throws `Damaged` for anything but a whole archive of the kind that `tarEntry` writes. */
export async function* tarEntries(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = readerOf(bytes);
  for (;;) {
    const head = await reader.take(block);
    if (head.every((byte) => byte === 0)) break;
    const field = (at: number, length: number) =>
      head.toString('ascii', at, at + length).replace(/[\0 ]*$/, '');
    if (Number.parseInt(field(148, 8), 8) !== checksumOf(head)) throw new Damaged('an entry is not readable');
    const size = Number.parseInt(field(124, 12), 8);
    if (!(size >= 0 && size <= chunkBytes)) throw new Damaged('an entry has an impossible length');
    const content = await reader.take(size);
    await reader.take((block - (size % block)) % block);
    yield { name: field(0, 100), content };
  }
  const end = await reader.take(block);
  if (!end.every((byte) => byte === 0) || (await reader.more()))
    throw new Damaged('something follows its end');
}

/** The bytes are not those that were written. */
export class Damaged extends Error {
  constructor(why: unknown) {
    super(messageOf(why));
    this.name = 'Damaged';
  }
}

function readerOf(bytes: AsyncIterable<Uint8Array>) {
  const source = bytes[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let length = 0;
  const pull = async (): Promise<boolean> => {
    const { value, done } = await source.next();
    if (done === true) return false;
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    held.push(chunk);
    length += chunk.length;
    return true;
  };
  return {
    async take(wanted: number): Promise<Buffer> {
      while (length < wanted) if (!(await pull())) throw new Damaged('it ends too early');
      const all = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
      held = [all.subarray(wanted)];
      length -= wanted;
      return all.subarray(0, wanted);
    },
    async more(): Promise<boolean> {
      while (length === 0) if (!(await pull())) return false;
      return true;
    },
  };
}
