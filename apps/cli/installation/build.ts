import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Programs that run inside sandboxes or start often: one file each, because unbundled they cost twice the memory (design decision 10). */
const programs = {
  launcher: 'apps/launcher/main.ts',
  installer: 'apps/installer/main.ts',
} as const;

/** Bundles the programs into `directory`, each replaced at once. Takes a fraction of a second, so it is simply done at every start. */
export async function buildPrograms(directory: string): Promise<void> {
  const { build } = await import('esbuild');
  for (const [name, entry] of Object.entries(programs)) {
    const target = path.join(directory, `${name}.mjs`);
    await build({
      entryPoints: [path.join(root, entry)],
      outfile: `${target}.tmp`,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      legalComments: 'none',
      logLevel: 'error',
      // CommonJS dependencies ask for `require`, which an ES module does not have by itself.
      banner: {
        js: "import { createRequire as haicRequire } from 'node:module'; const require = haicRequire(import.meta.url);",
      },
    });
    await rename(`${target}.tmp`, target);
  }
}

/** Builds the portal, or finds the build of the same sources in the cache. Returns its folder. */
export async function buildPortal(cache: string): Promise<string> {
  const web = path.join(root, 'apps/web');
  const target = path.join(cache, 'portal', await digestOf(web));
  if (await exists(path.join(target, 'index.html'))) return target;
  const staging = `${target}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(path.dirname(target), { recursive: true });
  const { build } = await import(
    import.meta.resolve('vite', new URL('../../web/package.json', import.meta.url))
  );
  await build({ root: web, logLevel: 'error', build: { outDir: staging, emptyOutDir: true } });
  await rm(target, { recursive: true, force: true });
  await rename(staging, target).catch(async (error: unknown) => {
    if (!(await exists(path.join(target, 'index.html')))) throw error;
  });
  return target;
}

async function digestOf(web: string): Promise<string> {
  const hash = createHash('sha256');
  const files = ['index.html', 'vite.config.ts', 'package.json', '../../package-lock.json'];
  for (const folder of ['src', 'public']) {
    const entries = await readdir(path.join(web, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries)
      if (entry.isFile()) files.push(path.relative(web, path.join(entry.parentPath, entry.name)));
  }
  for (const file of files.sort()) hash.update(`${file}\0`).update(await readFile(path.join(web, file)));
  return hash.digest('hex').slice(0, 16);
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
