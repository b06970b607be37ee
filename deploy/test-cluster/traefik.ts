import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildProgram, goEnvironment } from './binaries.ts';
import { ensureGo } from './go.ts';
import { writeImage } from './image.ts';
import { ensureKept, keyOf } from './kept.ts';
import { run } from './run.ts';

const module = fileURLToPath(new URL('./traefik/', import.meta.url));
const program = 'github.com/traefik/traefik/v3/cmd/traefik';
const keyed = ['go.mod', 'go.sum', 'dns/none.go'];
const acme = {
  module: 'github.com/go-acme/lego/v4',
  /** The list of all that it can prove a domain's ownership with: the SDKs of 150 providers of DNS. */
  providers: 'providers/dns/zz_gen_dns_providers.go',
};

/** As pods name it. */
export const traefikImage = 'localhost/traefik:1';

/**
 * Traefik as the file of an image: one program, without anything else. Built from Go modules as traefik/go.sum pins them, once (3 minutes of two
 * cores), then kept in the cache. It is Traefik as released but for certificates by DNS-01, which nothing here asks for: the SDKs of the providers
 * would be most of what is compiled.
 */
export async function ensureTraefikImage(options: BuildOptions): Promise<string> {
  const key = await keyOf(module, keyed);
  const folder = path.join(options.cacheDirectory, 'test-cluster', `traefik-${key}`);
  return path.join(await ensureKept(folder, (staging) => build(staging, options)), 'image.tar');
}

async function build(target: string, options: BuildOptions): Promise<void> {
  const go = await ensureGo(options);
  const env = goEnvironment(options.cacheDirectory);
  const { signal, tell } = options;
  tell('fetching modules of Traefik');
  const root = await mkdtemp(path.join(tmpdir(), 'haic-traefik-'));
  const sources = await mkdtemp(path.join(tmpdir(), 'haic-traefik-sources-'));
  try {
    await withoutDnsProviders(sources, (args, cwd) => run(go, args, { cwd, env, signal }));
    let compiled = 0;
    const what = { folder: sources, from: program, linking: '-s -w', program: path.join(root, 'traefik') };
    await buildProgram(go, what, options, () => {
      compiled += 1;
      tell(`compiled ${compiled} packages of Traefik`);
    });
    const image = { reference: traefikImage, entrypoint: ['/traefik'], root };
    await writeImage(path.join(target, 'image.tar'), image, signal);
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(sources, { recursive: true, force: true });
  }
}

/** Makes `target` the module, with the library for certificates replaced by a copy that knows no provider of DNS. */
async function withoutDnsProviders(
  target: string,
  go: (args: readonly string[], cwd: string) => Promise<string>,
): Promise<void> {
  for (const file of ['go.mod', 'go.sum']) await cp(path.join(module, file), path.join(target, file));
  await go(['mod', 'download', acme.module], target);
  const original = (await go(['list', '-m', '-f', '{{.Dir}}', acme.module], target)).trim();
  const copy = path.join(target, 'lego');
  await cp(original, copy, { recursive: true });
  // What Go keeps of modules is read-only.
  const list = path.join(copy, acme.providers);
  for (const each of [copy, path.dirname(list), list]) await chmod(each, 0o755);
  await cp(path.join(module, 'dns/none.go'), list);
  await go(['mod', 'edit', `-replace=${acme.module}=./lego`], target);
}
