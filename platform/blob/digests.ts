import { createHash, type Hash } from 'node:crypto';

export type DigestAlgorithm = 'md5' | 'sha256';

export interface Digests {
  /** Resolves when more is welcome. The chunk must not be changed afterwards. */
  update(chunk: Buffer): Promise<void> | undefined;
  /** Lower-case hex, by algorithm. */
  finish(): Promise<Readonly<Partial<Record<DigestAlgorithm, string>>>>;
  /** Instead of `finish`. */
  abandon(): void;
}

export function createDigests(algorithms: ReadonlySet<DigestAlgorithm>): Digests {
  const hashes: [DigestAlgorithm, Hash][] = [...algorithms].map((name) => [name, createHash(name)]);
  return {
    update: (chunk) => {
      for (const [, hash] of hashes) hash.update(chunk);
      return undefined;
    },
    finish: async () => Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest('hex')])),
    abandon: () => undefined,
  };
}
