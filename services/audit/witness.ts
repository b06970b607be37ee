import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Chain, Link } from './chain.ts';

/**
 * Remembers, outside of the database, how far the trail had come: a database that was put back to an older state as a whole is consistent in itself,
 * and only somebody who remembers more can tell.
 */
export interface Witness {
  /** The furthest place that was kept; undefined when there is none, or not one of ours. */
  recall(): Promise<Link | undefined>;
  /**
   * Forward only, so that what another process kept of later is not lost; `anew` where the trail itself says that it goes on from elsewhere.
   * Whoever keeps holds the lock for it (`trailStore.lockWitness`).
   */
  keep(head: Link, direction: 'forward' | 'anew'): Promise<void>;
}

/** A small file, signed, and replaced as a whole: processes on other machines may share it. */
export function createFileWitness(file: string, chain: Chain): Witness {
  const recall = async () => {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : parse(text, chain);
  };
  return {
    recall,
    keep: async (head, direction) => {
      const before = direction === 'forward' ? await recall() : undefined;
      if (before !== undefined && before.seq >= head.seq) return;
      const mac = chain.sign('witness', head).toString('hex');
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await replace(file, JSON.stringify({ seq: head.seq, hash: head.hash.toString('hex'), mac }));
    },
  };
}

/** By a file of its own name: whoever lost the lock while writing cannot make another one's half a file. */
async function replace(file: string, content: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
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
