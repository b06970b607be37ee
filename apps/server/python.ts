import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `3.11`: the version of the system's Python, the one that apps run on. */
export async function systemPython(): Promise<string> {
  const { stdout } = await run('/usr/bin/python3', [
    '-I',
    '-c',
    'import sys; print("%d.%d" % sys.version_info[:2])',
  ]);
  return stdout.trim();
}
