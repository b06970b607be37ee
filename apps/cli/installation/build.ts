import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Programs that run inside sandboxes: apps can read them. */
const sandboxPrograms: Readonly<Record<string, string>> = {
  launcher: "import './apps/launcher/main.ts';",
  installer: "import './apps/installer/main.ts';",
};

const rolePrograms = { core: 'startCore', router: 'startRouter', drive: 'startDrive' } as const;

/** Programs of threads, beside those that start them: where the sources have one of `./worker.ts`, the bundle has its file. */
const threadPrograms: Readonly<Record<string, string>> = { disk: 'platform/blob/filesystem/disk/worker.ts' };

/** The platform's own processes, each with what it needs and nothing of the others: half the memory and start-up time (design decision 10). */
const platformPrograms: Readonly<Record<string, string>> = {
  supervisor: "import './apps/cli/installation/supervisor-main.ts';",
  ...Object.fromEntries(Object.entries(threadPrograms).map(([name, file]) => [name, `import './${file}';`])),
  ...Object.fromEntries(
    Object.entries(rolePrograms).map(([role, start]) => [
      role,
      `import { serveRole } from './apps/server/serve.ts'; import { ${start} } from './apps/server/${role}.ts'; await serveRole('${role}', ${start});`,
    ]),
  ),
};

/** Bundles the programs, each replaced at once. Takes some seconds of CPU: `up` keeps what came out (`programs.ts`). */
export async function buildPrograms(directories: { sandbox: string; platform: string }): Promise<void> {
  await Promise.all([
    ...Object.entries(sandboxPrograms).map(([name, source]) =>
      bundle(source, path.join(directories.sandbox, `${name}.mjs`)),
    ),
    ...Object.entries(platformPrograms).map(([name, source]) =>
      bundle(source, path.join(directories.platform, `${name}.mjs`)),
    ),
  ]);
}

/** The programs of the images: those of sandboxes, or of the platform with the one that starts them. They take `sourcesAt` for the clone. */
export async function buildImagePrograms(
  kind: 'sandbox' | 'platform',
  target: string,
  sourcesAt: string,
): Promise<void> {
  const { supervisor: _, ...roles } = platformPrograms;
  const programs =
    kind === 'sandbox' ? sandboxPrograms : { ...roles, main: "import './apps/cli/images/main.ts';" };
  await mkdir(target, { recursive: true });
  for (const [name, source] of Object.entries(programs))
    await bundle(source, path.join(target, `${name}.mjs`), sourcesAt);
}

/** What a program loads only when it is needed becomes files beside it, named by their content. */
async function bundle(source: string, target: string, sourcesAt = root): Promise<void> {
  const { build } = await import('esbuild');
  const [folder, name] = [path.dirname(target), path.basename(target, '.mjs')];
  const staging = path.join(folder, `.${name}.tmp`);
  await rm(staging, { recursive: true, force: true });
  await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' },
    outdir: staging,
    entryNames: name,
    chunkNames: `${name}-[hash]`,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // oidc-provider, in core, tells its kinds of tokens apart by the names of their classes. Elsewhere nobody asks, and each function
    // that is made would be given its name again: a twentieth of what a request costs, to the router and to Drive.
    keepNames: name === 'core',
    legalComments: 'none',
    logLevel: 'error',
    // CommonJS dependencies ask for `require`, which an ES module does not have by itself.
    banner: {
      js: "import { createRequire as haicRequire } from 'node:module'; const require = haicRequire(import.meta.url);",
    },
    plugins: [keepOwnDirectory(sourcesAt)],
  });
  const made = (await readdir(staging)).sort(
    (a, b) => Number(a === `${name}.mjs`) - Number(b === `${name}.mjs`),
  );
  for (const file of made) await rename(path.join(staging, file), path.join(folder, file));
  await rm(staging, { recursive: true });
}

/** Code that looks for files beside itself (migrations, scripts) finds them where the sources are. */
const keepOwnDirectory = (sourcesAt: string): Plugin => ({
  name: 'keep-own-directory',
  setup: (build) => {
    build.onLoad({ filter: /\.ts$/ }, async ({ path: loaded }) => {
      const source = await readFile(loaded, 'utf8');
      if (!source.includes('import.meta.')) return undefined;
      const file = path.join(sourcesAt, path.relative(root, loaded));
      const contents = withThreads(source, path.relative(root, path.dirname(loaded)))
        .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href));
      return { contents, loader: 'ts' };
    });
  },
});

function withThreads(source: string, folder: string): string {
  const [name] = Object.entries(threadPrograms).find(([, file]) => path.dirname(file) === folder) ?? [];
  if (name === undefined) return source;
  return source.replaceAll(
    "import.meta.resolve('./worker.ts')",
    `import.meta.resolve(${JSON.stringify(`./${name}.mjs`)})`,
  );
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
