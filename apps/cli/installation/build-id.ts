import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What the platform's processes are made of, and what sandboxes run. The command line itself and tests are not in it. */
const sources = ['apps/server', 'apps/launcher', 'apps/installer', 'apps/cli/installation', 'apps/web/src'];
const whole = ['kit', 'platform', 'services'];
const single = ['package-lock.json', 'apps/web/index.html', 'apps/web/vite.config.ts'];

/**
 * Which build this is: of every source, where it lies, and the Node that runs it. A running platform of another one is replaced by
 * `up`; a digest rather than a version, so that a changed line counts and a second `up` of the same does not.
 */
export const buildId = (): Promise<string> => digestOf([...sources, ...whole]);

/** Which programs come out of these sources, the command line included. */
export const programsId = (): Promise<string> => digestOf([...sources, ...whole, 'apps/cli']);

/** What images are made of: the same, the charts that go with it, and the portal's own files. */
export const imagesId = (): Promise<string> =>
  digestOf([...sources, ...whole, 'apps/cli', 'deploy/charts/wave-app']);

async function digestOf(folders: readonly string[]): Promise<string> {
  const files = [...single];
  for (const folder of folders) files.push(...(await sourcesBelow(folder)));
  const hash = createHash('sha256').update(`${root}\0${process.version}\0`);
  for (const file of files.sort()) hash.update(`${file}\0`).update(await readFile(path.join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'dist') found.push(...(await sourcesBelow(name)));
    } else if (entry.isFile() && !/\.(test|fixture)\.ts$/.test(entry.name)) found.push(name);
  }
  return found;
}
