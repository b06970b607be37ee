import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import { LaunchFailure } from './failure.ts';

export interface InstanceFile {
  readonly path: string;
  readonly value: string | Uint8Array;
}

/** Where files may go. */
export interface FilePlaces {
  readonly app: string;
  /** Prefix of all that is outside of the app's folder; empty in a sandbox. */
  readonly root: string;
  /** In memory: files with values of secrets are kept there, and found where app.toml says by a link. Undefined where there is none. */
  readonly secrets: string | undefined;
  /** The launcher's own folders, which no file may be in. */
  readonly reserved: readonly string[];
}

/**
 * Writes the `[[File]]` values: below the app's folder, or where an absolute path says; only sub-directories are allowed (contract
 * wave-app §2). What the bundle holds cannot lead elsewhere. A folder outside of the app's is mounted for the instance by the runtime or
 * lies on its data volume; all others are read-only there.
 */
export async function writeInstanceFiles(places: FilePlaces, files: readonly InstanceFile[]): Promise<void> {
  for (const file of files) await writeInto(await folderFor(places, file), file);
}

/** The same for values of secrets, which touch no disk where memory is to be had. */
export async function writeSecretFiles(places: FilePlaces, files: readonly InstanceFile[]): Promise<void> {
  if (places.secrets === undefined) return writeInstanceFiles(places, files);
  for (const [index, file] of files.entries()) {
    const folder = await folderFor(places, file);
    const kept = path.join(places.secrets, String(index + 1));
    await mkdir(kept, { recursive: true, mode: 0o700 });
    await writeInto(kept, file);
    const name = path.basename(file.path);
    try {
      await rm(path.join(folder, name), { force: true });
      await symlink(path.join(kept, name), path.join(folder, name));
    } catch (error) {
      throw cannotWrite(file.path, error);
    }
  }
}

async function folderFor(places: FilePlaces, file: InstanceFile): Promise<string> {
  const { target, within } = placeOf(places, file.path);
  await mkdir(path.dirname(target), { recursive: true }).catch((error: unknown) => {
    throw cannotWrite(file.path, error);
  });
  const directory = await realpath(path.dirname(target));
  if (!isBelow(await realpath(within), directory)) throw outside(file.path);
  return directory;
}

async function writeInto(folder: string, file: InstanceFile): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const target = path.join(folder, path.basename(file.path));
  const handle = await open(target, flags, 0o600).catch((error: unknown) => {
    throw cannotWrite(file.path, error);
  });
  try {
    await handle.writeFile(file.value);
  } finally {
    await handle.close();
  }
}

const isBelow = (root: string, candidate: string) =>
  candidate === root || candidate.startsWith(root.endsWith(path.sep) ? root : `${root}${path.sep}`);
const shown = (name: string) => `[[File]] ${JSON.stringify(name.slice(0, 200))} in app.toml`;
const outside = (name: string) =>
  new LaunchFailure(`${shown(name)} is not below the app's own folder or one of its own.`);
const cannotWrite = (name: string, error: unknown) =>
  new LaunchFailure(`${shown(name)} cannot be written: ${messageOf(error)}.`, [], error);

/** The file, and the folder that it must not leave by a link. */
function placeOf(places: FilePlaces, name: string): { target: string; within: string } {
  if (name.includes('\0')) throw outside(name);
  const { app } = places;
  // In a sandbox the root is /app itself; elsewhere "/app/x" still means the app's folder.
  const relative = name.startsWith('/app/') ? name.slice('/app/'.length) : name;
  if (path.isAbsolute(relative)) return placeElsewhere(places, name);
  const target = path.resolve(app, relative);
  if (!target.startsWith(`${app}${path.sep}`)) throw outside(name);
  if (path.dirname(target) === app)
    throw new LaunchFailure(`${shown(name)} must be in a sub-folder of the app.`);
  return { target, within: app };
}

function placeElsewhere({ app, root, reserved }: FilePlaces, name: string) {
  const target = path.join(root === '' ? '/' : root, path.normalize(name));
  const folder = path.dirname(target);
  const system = [...reserved, ...systemFolders.map((each) => path.join(root === '' ? '/' : root, each))];
  if (folder === (root === '' ? '/' : root) || isBelow(app, target)) throw outside(name);
  if (system.some((each) => isBelow(each, target))) throw outside(name);
  return { target, within: folder };
}

/** Second lock on the catalog's door: nothing of the system or of the platform. */
const systemFolders = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/libx32', '/opt/haic', '/proc'],
  ...['/root', '/run', '/sbin', '/sys', '/usr', '/var'],
];

/** Empties the app's folder before it is filled again, but never the data volume, should one be mounted inside of it. */
export async function emptyFolder(folder: string, keep?: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const entry = path.join(folder, name);
    if (keep === entry) continue;
    if (keep?.startsWith(`${entry}${path.sep}`)) await emptyFolder(entry, keep);
    else await rm(entry, { recursive: true, force: true });
  }
}
