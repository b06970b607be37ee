import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cliEntry = path.join(root, 'apps/cli/main.ts');

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A whole Haic of its own, started by `up --detach` as a user would, with a home of its own that is removed at the end. */
export interface Haic {
  readonly url: string;
  /** Where S3 and STS are. */
  readonly driveUrl: string;
  readonly port: number;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly admin: { readonly username: string; readonly password: string };
  /** Runs `./haic …`; never throws for an exit code. */
  cli(
    args: readonly string[],
    options?: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string },
  ): Promise<CommandResult>;
  /** Like `cli`, but an exit code other than 0 fails the test with what was said. Returns stdout. */
  run(
    args: readonly string[],
    options?: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string },
  ): Promise<string>;
  /** Adds a person and returns their password. */
  addUser(
    username: string,
    options?: { roles?: readonly string[]; groups?: readonly string[]; name?: string },
  ): Promise<string>;
  /** An access token of the person, by a platform token. */
  accessToken(username: string): Promise<string>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export async function startHaic(extra: NodeJS.ProcessEnv = {}): Promise<Haic> {
  const haic = await placeForHaic(extra);
  try {
    const said = await haic.run(['up', '--detach']);
    const password = /^Password:\s+(\S+)/m.exec(said)?.[1];
    if (password === undefined) throw new Error(`up printed no password:\n${said}`);
    return { ...haic, admin: { username: 'admin', password } };
  } catch (error) {
    await haic.stop();
    throw error;
  }
}

/** Ports and an empty home, in which nothing was started yet. */
export async function placeForHaic(extra: NodeJS.ProcessEnv = {}): Promise<Haic> {
  const home = await mkdtemp(path.join(tmpdir(), 'haic-test-'));
  await chmod(home, 0o711);
  const port = await freePorts();
  const cache = process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache');
  const environments = await takeEnvironments(cache);
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    HAIC_HOME: home,
    HAIC_CACHE: cache,
    HAIC_ENVIRONMENTS_DIR: environments.directory,
    HAIC_PORT: String(port),
    // An answer that the description of the API does not describe is a failure here.
    HAIC_CHECK_ANSWERS: 'true',
    ...extra,
  };
  const scheme = extra.HAIC_TLS_CERT === undefined ? 'http' : 'https';
  const url = extra.HAIC_PUBLIC_URL ?? `${scheme}://localhost:${port}`;

  const cli: Haic['cli'] = (args, options = {}) => {
    const child = spawn(process.execPath, [cliEntry, ...args], {
      env: { ...environment, ...options.env },
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(options.input ?? '');
    return resultOf(child);
  };
  const run: Haic['run'] = async (args, options) => {
    const result = await cli(args, options);
    if (result.code !== 0)
      throw new Error(`haic ${args.join(' ')} ended with ${result.code}:\n${result.stderr}${result.stdout}`);
    return result.stdout;
  };

  return {
    url,
    driveUrl: `${scheme}://localhost:${port + 2}`,
    port,
    home,
    environment,
    admin: { username: 'admin', password: '' },
    cli,
    run,
    addUser: async (username, options = {}) => {
      const roles = (options.roles ?? ['user']).flatMap((role) => ['--role', role]);
      const groups = (options.groups ?? []).flatMap((group) => ['--group', group]);
      const name = options.name === undefined ? [] : ['--name', options.name];
      const output = await run(['user', 'add', username, ...roles, ...groups, ...name]);
      return /^Password\t(\S+)/m.exec(output)?.[1] ?? '';
    },
    accessToken: async (username) => {
      const refreshToken = (await run(['token', '--user', username])).trim();
      const response = await fetch(`${url}/auth/realms/haic/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: 'haic-platform',
          refresh_token: refreshToken,
        }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    },
    up: async () => void (await run(['up', '--detach'])),
    stop: async () => {
      await run(['down']);
      await environments.release();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/**
 * A folder of Python environments that no other running Haic has: its installer is the only one that writes there, and clears away at
 * its start what another would be working on. Kept from run to run, so that not every test file downloads the same wheels again.
 */
async function takeEnvironments(cache: string): Promise<{ directory: string; release(): Promise<void> }> {
  for (let slot = 0; ; slot += 1) {
    const directory = path.join(cache, slot === 0 ? 'test-environments' : `test-environments-${slot}`);
    await mkdir(directory, { recursive: true });
    const mark = `${directory}.taken`;
    const release = () => rm(mark, { force: true });
    if (await isOfTheDead(mark)) await release();
    try {
      await writeFile(mark, String(process.pid), { flag: 'wx' });
      return { directory, release };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function isOfTheDead(mark: string): Promise<boolean> {
  const pid = Number(await readFile(mark, 'utf8').catch(() => 'none'));
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

function resultOf(child: ChildProcess): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** A port whose three successors are free too: portal, scorers, Drive, gRPC. */
export async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all([port, port + 1, port + 2, port + 3].map(isFree));
    if (free.every(Boolean)) return port;
  }
  throw new Error('No four free ports in a row.');
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** Bundles one of the repository's samples; returns the path of the .wave file. */
export async function bundleSample(haic: Haic, name: string): Promise<string> {
  const output = await mkdtemp(path.join(haic.home, 'bundle-'));
  return (await haic.run(['bundle', path.join(root, 'samples', name), '--output', output])).trim();
}

/** Runs a program to its end; rejects with its output when it fails. */
export function execute(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  cwd?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, [...args], { env, cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${file} failed: ${error.message}\n${stderr}\n${stdout}`));
      else resolve(stdout);
    });
  });
}
