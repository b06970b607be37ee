import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Engine } from './engine.ts';

/** Unpacks the whole `/` of an image, as a container of it begins. */
export async function unpack(engine: Engine, image: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const container = (await engine.docker('create', image, 'nothing')).trim();
  try {
    await engine.shell('docker export "$1" | tar -x --numeric-owner -C "$2"', container, folder);
  } finally {
    await engine.docker('rm', container);
  }
}

export interface Entry {
  /** Owner and group. */
  readonly owner: string;
  /** Octal: type and permissions, as `stat` has them. */
  readonly mode: string;
}

/** Everything below a folder of an unpacked image, by its path in the image; links are not followed. */
export async function entriesBelow(root: string, below: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const folders = [path.join('/', below)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop())
    for (const name of await readdir(path.join(root, folder))) {
      const file = path.join(folder, name);
      const found = await lstat(path.join(root, file));
      entries.set(file, { owner: `${found.uid}:${found.gid}`, mode: found.mode.toString(8) });
      if (found.isDirectory()) folders.push(file);
    }
  return entries;
}

export interface EntryWithContent extends Entry {
  /** SHA-256 of a file, target of a link. */
  readonly content: string;
}

export async function contentsBelow(root: string, below: string): Promise<Map<string, EntryWithContent>> {
  const contents = new Map<string, EntryWithContent>();
  for (const [file, entry] of await entriesBelow(root, below))
    contents.set(file, { ...entry, content: await contentOf(path.join(root, file)) });
  return contents;
}

async function contentOf(file: string): Promise<string> {
  const found = await lstat(file);
  if (found.isSymbolicLink()) return readlink(file);
  return found.isFile() ? digestOf(file) : '';
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
