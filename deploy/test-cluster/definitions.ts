import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, goEnvironment } from './binaries.ts';
import { ensureGo } from './go.ts';
import { isThere, run } from './run.ts';

const module = fileURLToPath(new URL('./definitions/', import.meta.url));
/** Where the modules have them. */
const places = {
  'gateway-api': {
    from: 'sigs.k8s.io/gateway-api',
    folder: 'config/crd/standard',
    files: /^gateway.*\.yaml$/,
  },
  emissary: {
    from: 'github.com/emissary-ingress/emissary/v3',
    folder: 'pkg/api/getambassador.io',
    files: /^crds\.yaml$/,
  },
} as const;

/**
 * Definitions of resources that a cluster has from others, as the authors publish them: of the Gateway API and of Emissary, pinned by
 * definitions/go.sum and kept in the cache. Returns the folder with one for each.
 */
export async function ensureDefinitions(options: BuildOptions): Promise<string> {
  const folder = await definitionsIn(options.cacheDirectory);
  if (await isThere(folder)) return folder;
  const go = await ensureGo(options);
  const env = goEnvironment(options.cacheDirectory);
  const { signal, tell } = options;
  tell('fetching definitions of resources');
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}.${process.pid}.`);
  try {
    for (const [name, { from, folder: inside, files }] of Object.entries(places)) {
      await run(go, ['mod', 'download', from], { cwd: module, env, signal });
      const found = await run(go, ['list', '-m', '-f', '{{.Dir}}', from], { cwd: module, env, signal });
      const source = path.join(found.trim(), inside);
      await mkdir(path.join(staging, name));
      for (const file of (await readdir(source)).filter((each) => files.test(each)))
        await cp(path.join(source, file), path.join(staging, name, file));
    }
    await rename(staging, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Where they are once they have been fetched; a cluster's own network has no way to them. */
export async function definitionsIn(cacheDirectory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(path.join(module, file)));
  return path.join(cacheDirectory, 'test-cluster', `definitions-${hash.digest('hex').slice(0, 16)}`);
}
