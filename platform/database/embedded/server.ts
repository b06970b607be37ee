import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { identify } from '@haic/kit/process-identity.ts';
import postgres from 'postgres';
import { installPostgres, postgresMajor } from './install.ts';

export interface EmbeddedPostgresOptions {
  readonly cacheDirectory: string;
  /** Made when it is not there; its parents must be searchable for the server's uid. */
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly password: string;
  /** Tried first; another free one is taken when something else listens there. */
  readonly preferredPort: number;
  /** Tests give up durability for speed. */
  readonly durable?: boolean;
  /** Of postgresql.conf, over what is usual here: for tests of what an organisation's server does differently. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** False when it was running already and is only used again. */
  readonly started: boolean;
  /** Fast shutdown: open transactions are rolled back. */
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root, so root's server runs as `nobody`, a uid that no app of Haic ever gets. */
const serverUid = 65_534;
const isRoot = () => process.getuid?.() === 0;
const identity = () => (isRoot() ? { uid: serverUid, gid: serverUid } : {});

/**
 * Starts the embedded server, or finds the running one of this data directory: it outlives the process that started it, so that
 * a crash of the platform does not cut the database off.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const programs = await installPostgres(options.cacheDirectory);
  if (!(await isInitialised(options.dataDirectory))) await initialise(programs, options);
  await refuseOtherMajor(options.dataDirectory);

  const running = await runningServer(options.dataDirectory);
  const { pid, port } = running ?? (await launchOnFreePort(programs, options));
  if (running !== undefined) await waitUntilItAnswers(running, options);
  return {
    url: urlOf(port, options),
    port,
    pid,
    started: running === undefined,
    stop: () => stopEmbeddedPostgres(options.dataDirectory),
  };
}

interface Server {
  readonly pid: number;
  readonly port: number;
}

const urlOf = (port: number, options: EmbeddedPostgresOptions): string =>
  `postgres://haic:${encodeURIComponent(options.password)}@127.0.0.1:${port}/haic`;

/** Between finding a free port and listening on it somebody else may take it: then another one is tried. */
async function launchOnFreePort(programs: string, options: EmbeddedPostgresOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = await launch(programs, options, await freePort(attempt === 1 ? options.preferredPort : 0));
    try {
      await waitUntilItAnswers(server, options);
      return server;
    } catch (error) {
      const lostItsPort = !(await isAlive(server)) && (await freePort(server.port)) !== server.port;
      if (!lostItsPort || attempt === 5) throw error;
    }
  }
}

/** A zombie is no server: it only waits to be reaped. */
const isAlive = async ({ pid }: Server): Promise<boolean> => (await identify(pid)) !== undefined;

/** Stops the server of this data directory, whoever started it. Returns when it has ended. */
export async function stopEmbeddedPostgres(dataDirectory: string): Promise<void> {
  const running = await runningServer(dataDirectory);
  if (running === undefined) return;
  process.kill(running.pid, 'SIGINT');
  await until(async () => ((await runningServer(dataDirectory)) === undefined ? true : undefined), {
    everyMs: 50,
    signal: deadline(30_000),
  });
}

/** Whether the server of this data directory runs, whoever started it. */
export const runsEmbeddedPostgres = async (dataDirectory: string): Promise<boolean> =>
  (await runningServer(dataDirectory)) !== undefined;

const isInitialised = (directory: string): Promise<boolean> =>
  stat(path.join(directory, 'PG_VERSION')).then(
    () => true,
    () => false,
  );

async function initialise(programs: string, options: EmbeddedPostgresOptions): Promise<void> {
  // An initdb that was cut off leaves a directory without PG_VERSION or with half a cluster; nothing in it is worth keeping.
  await rm(options.dataDirectory, { recursive: true, force: true });
  const staging = `${options.dataDirectory}.new`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  const passwordFile = `${options.dataDirectory}.password`;
  await writeFile(passwordFile, options.password, { mode: 0o600 });
  if (isRoot()) {
    await chown(staging, serverUid, serverUid);
    await chown(passwordFile, serverUid, serverUid);
  }
  try {
    const args = [
      '-D',
      staging,
      '-U',
      'haic',
      `--pwfile=${passwordFile}`,
      '--auth-host=scram-sha-256',
      '--auth-local=reject',
    ];
    const encoding = [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ];
    await run(path.join(programs, 'bin', 'initdb'), [...args, ...encoding], programs, options.signal);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(staging, options.dataDirectory);
}

async function refuseOtherMajor(directory: string): Promise<void> {
  const major = (await readFile(path.join(directory, 'PG_VERSION'), 'utf8')).trim();
  if (major === postgresMajor) return;
  throw new Error(
    `The database in ${directory} is of PostgreSQL ${major}, this Haic brings PostgreSQL ${postgresMajor}. ` +
      'Start the Haic that made it, take a backup there, and restore it here.',
  );
}

/** The live postmaster of the directory, by its lock file; a file that a crash left behind names no process of ours. */
async function runningServer(directory: string): Promise<Server | undefined> {
  const lines = await readFile(path.join(directory, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 1) || !(port > 0)) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes('postgres') && commandLine.includes(directory) ? { pid, port } : undefined;
}

async function launch(programs: string, options: EmbeddedPostgresOptions, port: number): Promise<Server> {
  await mkdir(path.dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a', 0o600);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    shared_buffers: '64MB',
    max_connections: '100',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
    ...options.parameters,
  };
  const args = [
    '-D',
    options.dataDirectory,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const child = spawn(path.join(programs, 'bin', 'postgres'), args, {
    ...identity(),
    cwd: '/',
    env: serverEnvironment(programs),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const pid = await pidOf(child);
  child.unref();
  await log.close();
  return { pid, port };
}

const serverEnvironment = (programs: string) => ({
  LD_LIBRARY_PATH: path.join(programs, 'lib'),
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
});

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

async function waitUntilItAnswers(server: Server, options: EmbeddedPostgresOptions): Promise<void> {
  const signal = deadline(60_000, options.signal);
  for (;;) {
    try {
      await ensureDatabase(urlOf(server.port, options));
      // Somebody else's server on this port would not have known the password.
      return;
    } catch (error) {
      if (!(await isAlive(server)) || signal.aborted) {
        throw new Error(`PostgreSQL did not start (${messageOf(error)}). Its log: ${options.logFile}`, {
          cause: error,
        });
      }
      await sleep(50, signal).catch(() => {});
    }
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const sql = postgres(url.replace(/\/haic$/, '/postgres'), {
    max: 1,
    connect_timeout: 5,
    onnotice: () => {},
  });
  try {
    const found = await sql`select 1 from pg_database where datname = 'haic'`;
    if (found.length === 0) await sql`create database haic`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function run(program: string, args: readonly string[], programs: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...identity(),
      cwd: '/',
      env: serverEnvironment(programs),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${path.basename(program)} failed (exit ${code}):\n${output.trim()}`)),
    );
  });
}

/** `preferred` when it is free on 127.0.0.1, else one that the system picks. */
export function freePort(preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () =>
      preferred === 0 ? reject(new Error('No free port on 127.0.0.1.')) : resolve(freePort(0)),
    );
    probe.listen(preferred, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : preferred));
    });
  });
}
