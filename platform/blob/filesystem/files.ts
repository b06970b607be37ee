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

/** By folder, the sync that is going on and the one that comes after it. */
const syncs = new Map<string, { readonly current: Promise<void>; next?: Promise<void> }>();

/**
 * A rename or a new name is durable once its folder is. What a sync that has begun covers nobody knows, so all who come meanwhile wait
 * for the next one, together.
 */
export function syncDirectory(directory: string): Promise<void> {
  const going = syncs.get(directory);
  if (going === undefined) return beginSync(directory);
  going.next ??= going.current.catch(() => undefined).then(() => beginSync(directory));
  return going.next;
}

function beginSync(directory: string): Promise<void> {
  const sync: { readonly current: Promise<void>; next?: Promise<void> } = { current: syncNow(directory) };
  syncs.set(directory, sync);
  const end = () => {
    if (sync.next === undefined) syncs.delete(directory);
  };
  sync.current.then(end, end);
  return sync.current;
}

async function syncNow(directory: string): Promise<void> {
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
export async function writeDurably(file: string, content: string): Promise<void> {
  const bytes = Buffer.from(content);
  const handle = await open(file, 'wx', 0o600);
  try {
    // A disk that fills up may take a part of what it is given.
    for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
    await handle.sync();
  } finally {
    await handle.close();
  }
}
