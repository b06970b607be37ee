import { randomUUID } from 'node:crypto';
import { access, chmod, constants, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { unavailable } from '@haic/kit/errors.ts';
import { type ProcessResult, runProcess } from './run-process.ts';

export interface Network {
  readonly pypiIndex?: string;
  readonly httpProxy?: string;
  readonly caFile?: string;
}

const lockFile = fileURLToPath(new URL('./uv-requirements.txt', import.meta.url));

/**
 * The pinned uv: `<cache>/uv/<version>/uv`, installed from the package index the first time, its content checked against the hash in
 * uv-requirements.txt. Any pip will do; it is not kept.
 */
export async function ensureUv(options: {
  cacheDirectory: string;
  network?: Network;
  signal: AbortSignal;
}): Promise<{ path: string; version: string }> {
  const version = await pinnedVersion();
  const folder = path.join(options.cacheDirectory, 'uv', version);
  const program = path.join(folder, 'uv');
  if (await isExecutable(program)) return { path: program, version };

  await mkdir(path.dirname(folder), { recursive: true, mode: 0o755 });
  const staging = path.join(path.dirname(folder), `.${version}.${randomUUID()}`);
  await mkdir(staging, { mode: 0o755 });
  try {
    await installWithPip(staging, options);
    // Every app's uid runs it, whatever the umask was.
    const made = path.join(staging, 'packages', 'bin');
    for (const item of [path.dirname(folder), made, path.join(made, 'uv')]) await chmod(item, 0o755);
    await rename(made, folder).catch(async (error: unknown) => {
      // Another process installed it meanwhile.
      if (!(await isExecutable(program))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  if (!(await isExecutable(program)))
    throw unavailable('uv_unavailable', `uv was installed without its program at ${program}.`);
  return { path: program, version };
}

async function pinnedVersion(): Promise<string> {
  const version = /^uv==([\w.]+)/m.exec(await readFile(lockFile, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${lockFile} names no version of uv.`);
  return version;
}

const pipWords = (network: Network = {}): readonly string[] => [
  ...['--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--retries', '2'],
  ...['--no-deps', '--only-binary', ':all:', '--require-hashes'],
  ...(network.pypiIndex === undefined ? [] : ['--index-url', network.pypiIndex]),
  ...(network.httpProxy === undefined ? [] : ['--proxy', network.httpProxy]),
  ...(network.caFile === undefined ? [] : ['--cert', network.caFile]),
];

async function installWithPip(
  staging: string,
  options: { network?: Network; signal: AbortSignal },
): Promise<void> {
  const python = await pythonWithPip(staging, options.signal);
  const target = ['--root-user-action=ignore', '--target', path.join(staging, 'packages')];
  const words = ['install', ...pipWords(options.network), ...target, '--requirement', lockFile];
  const result = await run(python, ['-I', '-m', 'pip', ...words], options.signal);
  if (result.code === 0) return;
  throw unavailable(
    'uv_unavailable',
    `uv could not be installed from the package index:\n${result.lines.slice(-8).join('\n')}\n` +
      'Behind a proxy or with an index of your own, set HAIC_HTTP_PROXY, HAIC_PYPI_INDEX, HAIC_CA_FILE.',
  );
}

/** The wheels that a lock file with hashes names, as files in the folder. uv itself has no such verb. */
export async function downloadWheels(options: {
  lockFile: string;
  folder: string;
  network?: Network;
  signal: AbortSignal;
}): Promise<void> {
  const python = await pythonWithPip(`${options.folder}.pip`, options.signal);
  const words = ['download', ...pipWords(options.network), '--dest', options.folder];
  const result = await run(
    python,
    ['-I', '-m', 'pip', ...words, '--requirement', options.lockFile],
    options.signal,
  );
  await rm(`${options.folder}.pip`, { recursive: true, force: true });
  if (result.code !== 0)
    throw unavailable('uv_unavailable', `Wheels could not be fetched:\n${result.lines.slice(-8).join('\n')}`);
}

/** The system's Python, another one on the PATH, or a throw-away virtual environment, whichever has pip first. */
async function pythonWithPip(staging: string, signal: AbortSignal): Promise<string> {
  const seen: string[] = [];
  for (const python of ['/usr/bin/python3', ...pythonsOnPath()]) {
    if (!(await isExecutable(python))) continue;
    seen.push(python);
    if (await succeeds(python, ['-I', '-c', 'import sys, pip; sys.exit(sys.version_info < (3, 10))'], signal))
      return python;
  }
  for (const python of seen) {
    const venv = path.join(staging, 'venv');
    if (await succeeds(python, ['-I', '-m', 'venv', venv], signal)) return path.join(venv, 'bin', 'python');
    await rm(venv, { recursive: true, force: true });
  }
  throw unavailable(
    'pip_missing',
    'Python 3.10 or newer with pip is needed to install uv. On Debian or Ubuntu: apt install python3 python3-pip. ' +
      'On Fedora: dnf install python3 python3-pip. Or set HAIC_UV to the path of an uv of your own.',
  );
}

const pythonsOnPath = (): string[] =>
  (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => path.isAbsolute(folder))
    .flatMap((folder) =>
      ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'].map((name) =>
        path.join(folder, name),
      ),
    );

async function succeeds(command: string, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  try {
    return (await run(command, args, signal)).code === 0;
  } catch {
    // It cannot be run at all: the next one, unless we are to stop.
    signal.throwIfAborted();
    return false;
  }
}

/** The operator's own environment is kept: their pip may need its settings to reach an index at all. */
const run = (command: string, args: readonly string[], signal: AbortSignal): Promise<ProcessResult> =>
  runProcess({ command, args, env: ownEnvironment(), cwd: '/', deadlineMs: 5 * 60_000, signal });

const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

const isExecutable = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
