import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import { ensureUnpacked } from '@haic/test-cluster/debian.ts';
import { run } from '@haic/test-cluster/run.ts';

/** Docker 20.10 of Debian 12, with BuildKit and the builder before it; `mmdebstrap` makes what images begin with. */
const packages = ['docker.io', 'containerd', 'runc', 'libdevmapper1.02.1', 'mmdebstrap'];
const script = fileURLToPath(new URL('./engine.sh', import.meta.url));

export interface EngineOptions {
  readonly cacheDirectory: string;
  readonly tell: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** A Docker engine of the tests' own. Images and layers that it made are kept in the cache, for the next one. */
export interface Engine {
  /** Runs `docker` with these words; gives what it printed on its standard output. */
  docker(...words: readonly string[]): Promise<string>;
  /** Runs a line of bash, in which `docker` is this engine's and a pipe fails with any of its parts; the words are `$1` and so on. */
  shell(line: string, ...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Waits for the one before, if another runs on the same cache; ends with this process, however that ends. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { cacheDirectory, signal } = options;
  const unpacked = await ensureUnpacked(packages, options);
  const folder = path.join(cacheDirectory, 'image-builder');
  await mkdir(path.join(folder, 'client'), { recursive: true });
  const group = `haic-images-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  // Of this process's own: whoever waits for the lock must not talk to the engine before.
  const socket = path.join(folder, `docker-${process.pid}.sock`);
  const programs = ['usr/sbin', 'usr/bin'].map((name) => path.join(unpacked, name));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: [...programs, process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LD_LIBRARY_PATH: path.join(unpacked, 'usr/lib/x86_64-linux-gnu'),
    DOCKER_HOST: `unix://${socket}`,
    // Nothing of the user's own settings and credentials.
    DOCKER_CONFIG: path.join(folder, 'client'),
    DOCKER_BUILDKIT: '1',
  };
  const child = await launch({ folder, group, socket, env });
  const stop = async () => {
    await ended(child);
    await rm(socket, { force: true });
    await removeGroups(group, deadline(30_000));
  };
  const engine: Engine = {
    docker: (...words) => run('docker', words, { env, signal }),
    shell: (line, ...words) => run('bash', ['-o', 'pipefail', '-c', line, 'bash', ...words], { env, signal }),
    stop,
  };
  try {
    await untilItAnswers(engine, child, folder, signal);
    return engine;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Of layers that nobody asked for lately, so much stays. */
const settings = { builder: { gc: { enabled: true, defaultKeepStorage: '6GB' } } };

async function launch(place: {
  folder: string;
  group: string;
  socket: string;
  env: NodeJS.ProcessEnv;
}): Promise<ChildProcess> {
  const { folder, group, socket, env } = place;
  const log = await open(path.join(folder, 'engine.log'), 'a');
  // The lock is held by all that is started, and so until the last of it has ended.
  const enclosed = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const words = ['--no-fork', path.join(folder, 'lock'), ...enclosed, script, folder, group, socket];
  await writeFile(path.join(folder, 'daemon.json'), JSON.stringify(settings));
  const child = spawn('flock', words, { cwd: '/', detached: true, env, stdio: ['pipe', log.fd, log.fd] });
  await log.close();
  return child;
}

async function untilItAnswers(
  engine: Engine,
  child: ChildProcess,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  child.once('error', failed.reject);
  const answers = async () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      const log = await readFile(path.join(folder, 'engine.log'), 'utf8');
      throw new Error(`The Docker engine did not start:\n${log.trim().split('\n').slice(-8).join('\n')}`);
    }
    return engine.docker('version').then(
      () => true as const,
      () => undefined,
    );
  };
  await Promise.race([failed.promise, until(answers, { everyMs: 200, signal })]);
}

/** It is asked to end, as by SIGTERM, and killed with all that is in its namespaces when it does not. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<true>((resolve) => child.once('exit', () => resolve(true)));
  child.stdin?.end();
  if (await Promise.race([closed, sleep(30_000).then(() => false)])) return;
  child.kill('SIGKILL');
  await closed;
}

/** Control groups outlive the processes that were in them, by design. */
async function removeGroups(group: string, signal: AbortSignal): Promise<void> {
  const top = '/sys/fs/cgroup';
  for (const name of ['.', ...(await readdir(top).catch(() => []))])
    await removeGroup(path.join(top, name, group), signal);
}

async function removeGroup(folder: string, signal: AbortSignal): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  for (const entry of entries ?? [])
    if (entry.isDirectory()) await removeGroup(path.join(folder, entry.name), signal);
  const gone = () =>
    rmdir(folder).then(
      () => true as const,
      // Until the kernel has forgotten who was in it.
      (error: NodeJS.ErrnoException) => (error.code === 'EBUSY' ? undefined : true),
    );
  if (entries !== undefined) await until(gone, { everyMs: 50, signal });
}
