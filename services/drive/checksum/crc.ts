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

/**
 * The NVMe polynomial 0x9a6c9329ac4bc9b5 (bits reversed), as two words, since numbers have 53 bits. Eight tables, one behind the other, of
 * 256 pairs of a high and a low word: eight bytes a step.
 */
const nvme = (() => {
  const tables = new Uint32Array(8 * 512);
  for (let byte = 0; byte < 256; byte += 1) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = low & 1;
      low = (low >>> 1) | ((high & 1) << 31);
      high >>>= 1;
      if (odd) {
        high ^= 0x9a6c9329;
        low ^= 0xac4bc9b5;
      }
    }
    tables.set([high, low], byte * 2);
  }
  const at = (index: number) => tables[index] as number;
  for (let index = 512; index < tables.length; index += 2) {
    const [high, low] = [at(index - 512), at(index - 511)];
    const first = (low & 0xff) * 2;
    tables.set([(high >>> 8) ^ at(first), ((low >>> 8) | (high << 24)) ^ at(first + 1)], index);
  }
  return tables;
})();

export function createCrc64Nvme(): Crc {
  let high = 0xffffffff;
  let low = 0xffffffff;
  const at = (index: number) => nvme[index] as number;
  return {
    update: (data) => {
      let i = 0;
      for (; i + 8 <= data.length; i += 8) {
        const l = data.readUInt32LE(i) ^ low;
        const h = data.readUInt32LE(i + 4) ^ high;
        const [a, b, c, d] = [
          7 * 512 + (l & 0xff) * 2,
          6 * 512 + ((l >>> 8) & 0xff) * 2,
          5 * 512 + ((l >>> 16) & 0xff) * 2,
          4 * 512 + (l >>> 24) * 2,
        ];
        const [e, f, g, k] = [
          3 * 512 + (h & 0xff) * 2,
          2 * 512 + ((h >>> 8) & 0xff) * 2,
          512 + ((h >>> 16) & 0xff) * 2,
          (h >>> 24) * 2,
        ];
        high = at(a) ^ at(b) ^ at(c) ^ at(d) ^ at(e) ^ at(f) ^ at(g) ^ at(k);
        low = at(a + 1) ^ at(b + 1) ^ at(c + 1) ^ at(d + 1) ^ at(e + 1) ^ at(f + 1) ^ at(g + 1) ^ at(k + 1);
      }
      for (; i < data.length; i += 1) {
        const index = ((low ^ (data[i] as number)) & 0xff) * 2;
        low = ((low >>> 8) | (high << 24)) ^ at(index + 1);
        high = (high >>> 8) ^ at(index);
      }
    },
    digest: () => bigEndian(high ^ 0xffffffff, low ^ 0xffffffff),
  };
}
