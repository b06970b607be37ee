import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildProgram } from './binaries.ts';
import { ensureGo } from './go.ts';
import { ensureKept, keyOf } from './kept.ts';

const module = fileURLToPath(new URL('./network-policies/', import.meta.url));
const keyed = ['go.mod', 'go.sum', 'main.go'];

/**
 * The program that enforces NetworkPolicies, which the CNI plugin does not: kube-router's controller, built from Go modules as
 * network-policies/go.sum pins them, once, then kept in the cache. Its modules are those of the components in the same versions (but for
 * kube-router's own), so that after them there is little left to compile. Returns the program's path.
 */
export async function ensurePolicyEnforcer(options: BuildOptions): Promise<string> {
  const key = await keyOf(module, keyed);
  const folder = path.join(options.cacheDirectory, 'test-cluster', `network-policies-${key}`);
  await ensureKept(folder, async (staging) => {
    options.tell('fetching modules of kube-router');
    const what = { folder: module, from: '.', linking: '-s -w', program: path.join(staging, name) };
    let compiled = 0;
    await buildProgram(await ensureGo(options), what, options, () => {
      compiled += 1;
      options.tell(`compiled ${compiled} packages of kube-router`);
    });
  });
  return path.join(folder, name);
}

const name = 'kube-router';
