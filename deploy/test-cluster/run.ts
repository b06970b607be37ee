import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** What it reads. */
  readonly input?: string;
}

/** Runs a program to its end and gives what it printed; an error holds the last of what it said. */
export async function run(
  command: string,
  args: readonly string[],
  { input, ...options }: RunOptions = {},
): Promise<string> {
  try {
    const running = execute(command, [...args], { maxBuffer: 2 ** 26, ...options });
    if (input !== undefined) running.child.stdin?.end(input);
    return (await running).stdout;
  } catch (error) {
    options.signal?.throwIfAborted();
    const said = error as { stderr?: string; stdout?: string; message?: string };
    const last = `${said.stdout ?? ''}${said.stderr ?? ''}`.trim().split('\n').slice(-12).join('\n');
    throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed: ${last || said.message}`, {
      cause: error,
    });
  }
}

export const isThere = (file: string, mode = constants.F_OK): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );
