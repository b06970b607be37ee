import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { runProcess } from './run-process.ts';

export interface Interpreter {
  /** '3.11' */
  readonly version: string;
  /** '3.11.2' */
  readonly fullVersion: string;
  readonly path: string;
}

const systemFolders = ['/usr/bin', '/usr/local/bin'];

/**
 * The Pythons that apps can use, the system's default first. An app runs under a uid of its own, so one under somebody's home folder does
 * not count, whoever owns it: only what every uid may execute, and nobody but root may change.
 */
export async function listInterpreters(
  options: { folders?: readonly string[]; signal?: AbortSignal } = {},
): Promise<readonly Interpreter[]> {
  const found = new Map<string, Interpreter>();
  for (const folder of options.folders ?? systemFolders) {
    const names = await readdir(folder).catch(() => []);
    const candidates = names.filter((name) => /^python3(\.\d+)?$/.test(name)).sort();
    for (const name of candidates) {
      const interpreter = await inspect(path.join(folder, name), options.signal);
      if (interpreter !== undefined && !found.has(interpreter.version))
        found.set(interpreter.version, interpreter);
    }
  }
  return [...found.values()].filter((item) => atLeast(item.version, [3, 8]));
}

/** `wanted`: '3.11', or 'default' for the first. */
export const pickInterpreter = (
  wanted: string,
  available: readonly Interpreter[],
): Interpreter | undefined =>
  wanted === 'default' ? available[0] : available.find((item) => item.version === wanted);

export function atLeast(version: string, minimum: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

async function inspect(file: string, signal: AbortSignal | undefined): Promise<Interpreter | undefined> {
  try {
    if (!(await usableByOthers(await realpath(file)))) return undefined;
    const { code, lines } = await runProcess({
      command: file,
      args: ['-I', '-S', '-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      deadlineMs: 20_000,
      signal: signal ?? new AbortController().signal,
    });
    const fullVersion = lines[0] ?? '';
    if (code !== 0 || !/^3\.\d+\.\d+$/.test(fullVersion)) return undefined;
    return { version: fullVersion.split('.').slice(0, 2).join('.'), fullVersion, path: file };
  } catch {
    return undefined;
  }
}

/** Readable and executable for every uid, through every folder above it. */
async function usableByOthers(file: string): Promise<boolean> {
  const { mode } = await stat(file);
  if ((mode & 0o005) !== 0o005) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === '/') return true;
  }
}
