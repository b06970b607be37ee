import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const web = fileURLToPath(new URL('../', import.meta.url));
const dist = join(web, 'dist');

/** Builds the portal unless dist/ is newer than all that it is made of: tests must never pass on yesterday's pages. */
export async function ensureBuilt(): Promise<void> {
  const built = await modified(join(dist, 'index.html'));
  const sources = [
    'index.html',
    'vite.config.ts',
    'package.json',
    ...(await filesIn('src')),
    ...(await filesIn('public')),
  ];
  const newest = Math.max(...(await Promise.all(sources.map((file) => modified(join(web, file))))));
  if (built > newest) return;
  // Where git looks away, should the build be cut off.
  const staging = join(web, 'node_modules', `.portal.${process.pid}.tmp`);
  await build({ root: web, logLevel: 'error', build: { outDir: staging, emptyOutDir: true } });
  await rm(dist, { recursive: true, force: true });
  await rename(staging, dist);
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(web, folder), { recursive: true })).map((name) => join(folder, name));

const modified = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
