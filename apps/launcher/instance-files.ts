import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { LaunchFailure } from './failure.ts';

/**
 * Writes the `[[File]]` values. Every path ends below the app's folder, also when the bundle holds something that would lead
 * elsewhere; only sub-directories are allowed (contract wave-app §2).
 */
export async function writeInstanceFiles(
  appRoot: string,
  files: readonly { readonly path: string; readonly value: string }[],
): Promise<void> {
  for (const file of files) {
    const target = targetOf(appRoot, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    const directory = await realpath(path.dirname(target));
    if (!isBelow(await realpath(appRoot), directory)) throw outside(file.path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const handle = await open(path.join(directory, path.basename(target)), flags, 0o600);
    try {
      await handle.writeFile(file.value);
    } finally {
      await handle.close();
    }
  }
}

const isBelow = (root: string, candidate: string) =>
  candidate === root || candidate.startsWith(`${root}${path.sep}`);
const outside = (name: string) =>
  new LaunchFailure(
    `[[File]] ${JSON.stringify(name.slice(0, 200))} in app.toml is not below the app's own folder.`,
  );

function targetOf(appRoot: string, name: string): string {
  // In a sandbox the root is /app itself; elsewhere "/app/x" still means the app's folder.
  const relative = name.startsWith('/app/') ? name.slice('/app/'.length) : name;
  const target = path.resolve(appRoot, relative);
  if (name.includes('\0') || !target.startsWith(`${appRoot}${path.sep}`)) throw outside(name);
  if (path.dirname(target) === appRoot)
    throw new LaunchFailure(
      `[[File]] ${JSON.stringify(name.slice(0, 200))} in app.toml must be in a sub-folder of the app.`,
    );
  return target;
}

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
