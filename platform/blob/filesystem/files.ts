import { mkdir, open, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';

export const errorCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** The value, or undefined when the path is not there. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export const removeIfThere = async (file: string): Promise<void> => void (await ifThere(unlink(file)));

/** A rename or a new name is durable once its folder is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates the folder and what is missing above it, durably. */
export async function ensureDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; ; made = path.dirname(made)) {
    await syncDirectory(path.dirname(made));
    if (made === first || made === path.dirname(made)) return;
  }
}

/** Removes folders that became empty, from `directory` up to but without `root`. */
export async function removeEmptyDirectories(directory: string, root: string): Promise<void> {
  for (let folder = directory; folder.startsWith(root + path.sep); folder = path.dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return; // Not empty, or somebody else was quicker: both fine.
    }
  }
}

/** Writes a small file whole and syncs it. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
