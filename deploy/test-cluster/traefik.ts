import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, follow, goEnvironment } from './binaries.ts';
import { ensureGo } from './go.ts';
import { writeImage } from './image.ts';
import { isThere, run } from './run.ts';

const module = fileURLToPath(new URL('./traefik/', import.meta.url));
const program = 'github.com/traefik/traefik/v3/cmd/traefik';

/** As pods name it. */
export const traefikImage = 'localhost/traefik:1';

/**
 * Traefik as the file of an image: one program, without anything else. Built from Go modules as traefik/go.sum pins them, once (7 minutes of two
 * cores), then kept in the cache.
 */
export async function ensureTraefikImage(options: BuildOptions): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(path.join(module, file)));
  const key = hash.digest('hex').slice(0, 16);
  const folder = path.join(options.cacheDirectory, 'test-cluster', `traefik-${key}`);
  const image = path.join(folder, 'image.tar');
  if (await isThere(folder)) return image;
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}.${process.pid}.`);
  try {
    await build(staging, options);
    await rename(staging, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
    return image;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function build(target: string, options: BuildOptions): Promise<void> {
  const go = await ensureGo(options);
  const env = goEnvironment(options.cacheDirectory);
  const { signal, tell } = options;
  tell('fetching modules of Traefik');
  await run(go, ['mod', 'download'], { cwd: module, env, signal });
  const root = await mkdtemp(path.join(tmpdir(), 'haic-traefik-'));
  try {
    let compiled = 0;
    const lock = path.join(options.cacheDirectory, 'test-cluster', 'build.lock');
    const flags = ['-v', '-trimpath', '-ldflags', '-s -w'];
    await follow(
      'flock',
      [lock, go, 'build', ...flags, '-o', path.join(root, 'traefik'), program],
      { cwd: module, env, signal },
      () => {
        compiled += 1;
        tell(`compiled ${compiled} packages of Traefik`);
      },
    );
    const image = { reference: traefikImage, entrypoint: ['/traefik'], root };
    await writeImage(path.join(target, 'image.tar'), image, signal);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
