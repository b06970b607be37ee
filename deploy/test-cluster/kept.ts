import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isThere } from './run.ts';

/** What a thing is kept by: it changes with the content of the files, and with the other texts. */
export async function keyOf(folder: string, files: readonly string[], ...others: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(path.join(folder, file)));
  for (const text of others) hash.update(text);
  return hash.digest('hex').slice(0, 16);
}

/**
 * A folder of the cache, filled by `make` when it is not there yet: beside it first, so that it is there whole or not at all. Where two
 * processes make it at once, the first one's stays. Returns the folder.
 */
export async function ensureKept(folder: string, make: (staging: string) => Promise<void>): Promise<string> {
  if (await isThere(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}.`);
  try {
    // As what it becomes is read by: pods, of other users, too.
    await chmod(staging, 0o755);
    await make(staging);
    await rename(staging, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
