import { createHash, type Hash } from 'node:crypto';

export type DigestAlgorithm = 'md5' | 'sha256';

/** Lower-case hex, of the algorithms that were asked for. */
export type Sums = Readonly<Partial<Record<DigestAlgorithm, string>>>;

export interface Digests {
  update(chunk: Buffer): void;
  /** Once, at the end. */
  sums(): Sums;
}

export function createDigests(algorithms: Iterable<DigestAlgorithm>): Digests {
  const hashes: [DigestAlgorithm, Hash][] = [...algorithms].map((name) => [name, createHash(name)]);
  return {
    update: (chunk) => {
      for (const [, hash] of hashes) hash.update(chunk);
    },
    sums: () => Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest('hex')])),
  };
}
