import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipItem {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Unix file type and mode, such as 0o120777 for a symbolic link. */
  readonly mode?: number;
  /** What the archive claims instead of the true size. */
  readonly claimedSize?: number;
  /** YYYY-MM-DD. */
  readonly modified?: string;
}

/** A zip as a test wants it, including what no honest tool writes. */
export function makeZip(items: readonly ZipItem[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const item of items) {
    const content = Buffer.from(item.content ?? '');
    const packed = deflateRawSync(content);
    const name = Buffer.from(item.name);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(0x800, 2);
    facts.writeUInt16LE(8, 4);
    const [year = 1980, month = 1, day = 1] = (item.modified ?? '1980-01-01').split('-').map(Number);
    facts.writeUInt16LE(((year - 1980) << 9) | (month << 5) | day, 8);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(item.claimedSize ?? content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, name, packed]);
    const central = Buffer.alloc(16);
    central.writeUInt32LE(((item.mode ?? 0o100644) << 16) >>> 0, 8);
    central.writeUInt32LE(offset, 12);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), facts, central.subarray(2), name]));
    bodies.push(local);
    offset += local.length;
  }
  const all = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(items.length, 4);
  end.writeUInt16LE(items.length, 6);
  end.writeUInt32LE(all.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, all, Buffer.from('PK\x05\x06'), end]);
}
