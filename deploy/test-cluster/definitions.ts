import { cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, goEnvironment } from './binaries.ts';
import { ensureGo } from './go.ts';
import { ensureKept, keyOf } from './kept.ts';
import { run } from './run.ts';

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
  const { cacheDirectory, signal, tell } = options;
  return ensureKept(await definitionsIn(cacheDirectory), async (staging) => {
    const go = await ensureGo(options);
    const env = goEnvironment(cacheDirectory);
    tell('fetching definitions of resources');
    for (const [name, { from, folder: inside, files }] of Object.entries(places)) {
      await run(go, ['mod', 'download', from], { cwd: module, env, signal });
      const found = await run(go, ['list', '-m', '-f', '{{.Dir}}', from], { cwd: module, env, signal });
      const source = path.join(found.trim(), inside);
      await mkdir(path.join(staging, name));
      for (const file of (await readdir(source)).filter((each) => files.test(each)))
        await cp(path.join(source, file), path.join(staging, name, file));
    }
  });
}

/** Where they are once they have been fetched; a cluster's own network has no way to them. */
export async function definitionsIn(cacheDirectory: string): Promise<string> {
  const key = await keyOf(module, ['go.mod', 'go.sum']);
  return path.join(cacheDirectory, 'test-cluster', `definitions-${key}`);
}
