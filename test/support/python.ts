import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureUv } from '@haic/services/environments/uv.ts';
import { execute } from './haic.ts';

/** What no environment of Haic may ever hold (design §6). */
const forbiddenPackages = ['driverlessai', 'daimojo'];

/**
 * A Python with the given requirements, from PyPI, kept in the cache under the hash of the list. Returns the interpreter's path.
 */
export async function pythonWith(requirements: readonly string[]): Promise<string> {
  const cache = process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache');
  const name = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 16);
  const directory = path.join(cache, 'test-venvs', name);
  const python = path.join(directory, 'bin', 'python');
  if (await exists(python)) return python;
  const uv = await ensureUv({ cacheDirectory: cache, network: {}, signal: AbortSignal.timeout(300_000) });
  const staging = `${directory}.${process.pid}`;
  await mkdir(path.dirname(directory), { recursive: true });
  await execute(uv.path, ['venv', '--relocatable', '--python', '/usr/bin/python3', staging]);
  await execute(uv.path, [
    'pip',
    'install',
    '--python',
    path.join(staging, 'bin', 'python'),
    ...requirements,
  ]);
  const installed = await execute(uv.path, [
    'pip',
    'list',
    '--python',
    path.join(staging, 'bin', 'python'),
    '--format=freeze',
  ]);
  for (const forbidden of forbiddenPackages) {
    if (new RegExp(`^${forbidden}==`, 'im').test(installed))
      throw new Error(`${forbidden} must not be installed.`);
  }
  await rename(staging, directory).catch(async (error: unknown) => {
    await rm(staging, { recursive: true, force: true });
    if (!(await exists(python))) throw error;
  });
  return python;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
