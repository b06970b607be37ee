import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildFlags, goEnvironment } from '@haic/test-cluster/binaries.ts';
import { ensureGo } from '@haic/test-cluster/go.ts';
import { isThere, run } from '@haic/test-cluster/run.ts';

const sources = fileURLToPath(new URL('.', import.meta.url));

const cacheDirectory = (): string => process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache');

export const ensureVersitygw = (signal: AbortSignal): Promise<string> =>
  ensureBuilt('versitygw', 'github.com/versity/versitygw/cmd/versitygw', signal);

export const ensureFakeGcsServer = (signal: AbortSignal): Promise<string> =>
  ensureBuilt('fake-gcs-server', 'github.com/fsouza/fake-gcs-server', signal);

/** Built from Go modules as go.sum in the folder of that name pins them: once, then kept in the cache. Returns the program's path. */
async function ensureBuilt(name: string, source: string, signal: AbortSignal): Promise<string> {
  const folder = await folderFor('bin', [`${name}/go.mod`, `${name}/go.sum`]);
  const program = path.join(folder, name);
  if (await isThere(program)) return program;
  const cache = cacheDirectory();
  await mkdir(folder, { recursive: true });
  const go = await ensureGo({ cacheDirectory: cache, tell: () => undefined, signal });
  const env = goEnvironment(cache);
  const staging = `${program}.${process.pid}`;
  const build = ['build', ...buildFlags, '-ldflags', '-s -w', '-o', staging, source];
  const cwd = path.join(sources, name);
  try {
    // One at a time: a second one then finds what the first has compiled.
    await run('flock', [path.join(folder, '..', 'build.lock'), go, ...build], { cwd, env, signal });
    await rename(staging, program);
  } finally {
    await rm(staging, { force: true });
  }
  return program;
}

/** Azurite as its lock file pins it, installed by the npm that belongs to this Node. Returns the script of its blob service. */
export async function ensureAzurite(signal: AbortSignal): Promise<string> {
  const files = ['azurite/package.json', 'azurite/package-lock.json'];
  const folder = await folderFor('azurite', files);
  const script = path.join(folder, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
  if (await isThere(script)) return script;
  const staging = `${folder}.${process.pid}`;
  await mkdir(staging, { recursive: true });
  try {
    for (const file of files) await cp(path.join(sources, file), path.join(staging, path.basename(file)));
    const npm = path.join(process.execPath, '..', '..', '..', 'npm', 'bin', 'npm-cli.js');
    await run(process.execPath, [npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: staging,
      signal,
    });
    await rename(staging, folder).catch(async (error: unknown) => {
      // Another process installed it meanwhile.
      if (!(await isThere(script))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return script;
}

async function folderFor(kind: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(path.join(sources, file)));
  return path.join(cacheDirectory(), 'test-stores', `${kind}-${hash.digest('hex').slice(0, 16)}`);
}
