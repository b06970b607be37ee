import { crc32 } from 'node:zlib';

/** A cyclic redundancy check that is fed piece by piece; the result in network byte order, as S3 writes it. */
export interface Crc {
  update(data: Buffer): void;
  digest(): Buffer;
}

export function createCrc32(): Crc {
  let value = 0;
  return {
    update: (data) => {
      value = crc32(data, value);
    },
    digest: () => bigEndian(value),
  };
}

const bigEndian = (...words: number[]): Buffer => {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4);
  return bytes;
};

/** Castagnoli's polynomial, bits reversed. Eight tables: eight bytes a step. */
const castagnoli = tablesOf(0x82f63b78);

function tablesOf(polynomial: number) {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value >>> 0;
  });
  const next = (before: Uint32Array) =>
    before.map((value) => (value >>> 8) ^ (first[value & 0xff] as number));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)] as const;
}

export function createCrc32c(): Crc {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = castagnoli;
  let crc = 0xffffffff;
  const at = (table: Uint32Array, index: number) => table[index] as number;
  return {
    update: (data) => {
      let i = 0;
      for (; i + 8 <= data.length; i += 8) {
        const low = (data.readUInt32LE(i) ^ crc) >>> 0;
        const high = data.readUInt32LE(i + 4);
        crc =
          at(t7, low & 0xff) ^
          at(t6, (low >>> 8) & 0xff) ^
          at(t5, (low >>> 16) & 0xff) ^
          at(t4, low >>> 24) ^
          at(t3, high & 0xff) ^
          at(t2, (high >>> 8) & 0xff) ^
          at(t1, (high >>> 16) & 0xff) ^
          at(t0, high >>> 24);
      }
      for (; i < data.length; i += 1) crc = at(t0, (crc ^ (data[i] as number)) & 0xff) ^ (crc >>> 8);
    },
    digest: () => bigEndian(crc ^ 0xffffffff),
  };
}

/** The NVMe polynomial 0x9a6c9329ac4bc9b5 (bits reversed), as two words, since numbers have 53 bits. */
const nvme = (() => {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = l & 1;
      l = (l >>> 1) | ((h & 1) << 31);
      h >>>= 1;
      if (odd) {
        h ^= 0x9a6c9329;
        l ^= 0xac4bc9b5;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  return { high, low };
})();

export function createCrc64Nvme(): Crc {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (data) => {
      for (const byte of data) {
        const index = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (nvme.low[index] as number);
        high = (high >>> 8) ^ (nvme.high[index] as number);
      }
    },
    digest: () => bigEndian(high ^ 0xffffffff, low ^ 0xffffffff),
  };
}
