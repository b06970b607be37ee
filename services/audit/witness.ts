import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Chain, Link } from './chain.ts';

/**
 * Remembers, outside of the database, how far the trail had come: a database that was put back to an older state as a whole is consistent in itself,
 * and only somebody who remembers more can tell.
 */
export interface Witness {
  /** The furthest place that was kept; undefined when there is none, or not one of ours. */
  recall(): Promise<Link | undefined>;
  keep(head: Link): Promise<void>;
}

/** A small file, signed, and replaced as a whole. */
export function createFileWitness(file: string, chain: Chain): Witness {
  return {
    recall: async () => {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      });
      return text === undefined ? undefined : parse(text, chain);
    },
    keep: async (head) => {
      const mac = chain.sign('witness', head).toString('hex');
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(
        `${file}.new`,
        JSON.stringify({ seq: head.seq, hash: head.hash.toString('hex'), mac }),
        {
          mode: 0o600,
        },
      );
      await rename(`${file}.new`, file);
    },
  };
}

function parse(text: string, chain: Chain): Link | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null || !('seq' in read) || !('hash' in read) || !('mac' in read))
    return undefined;
  if (typeof read.seq !== 'number' || typeof read.hash !== 'string' || typeof read.mac !== 'string')
    return undefined;
  const link = { seq: read.seq, hash: Buffer.from(read.hash, 'hex') };
  return chain.isSigned('witness', link, Buffer.from(read.mac, 'hex')) ? link : undefined;
}

/** For where nothing but the database is kept. */
export const noWitness: Witness = { recall: async () => undefined, keep: async () => undefined };
