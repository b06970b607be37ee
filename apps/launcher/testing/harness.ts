import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from '@haic/cli/installation/build.ts';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { connectInstaller } from '@haic/services/environments/client.ts';
import { ensureUv } from '@haic/services/environments/uv.ts';
import { readLines } from '../child-process.ts';
import { freePort } from '../ports.ts';
import type { StatusSnapshot } from '../status.ts';
import { startTestStore, type TestStore } from './store.ts';
import { makeZip, type ZipItem } from './zip.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Everything that one test file shares: the real installer, the bundled launcher, a store. */
export interface Workbench {
  readonly store: TestStore;
  readonly uv: string;
  readonly installerSocket: string;
  readonly directory: string;
  start(options?: StartOptions): Promise<TestInstance>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly config?: Partial<LauncherConfig>;
  /** Replaces the JSON text of the configuration. */
  readonly rawConfig?: string;
  readonly env?: Record<string, string>;
  /** Starts in the folder of an earlier instance, as the runtime does after a failure. */
  readonly root?: string;
}

export interface TestInstance {
  readonly id: string;
  readonly root: string;
  readonly statusUrl: string;
  readonly appUrl: string;
  readonly portApp: number;
  readonly lines: readonly string[];
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  status(): Promise<StatusSnapshot>;
  /** Waits until the status satisfies the check; fails with the log when the launcher ends first. */
  until(check: (status: StatusSnapshot) => boolean): Promise<StatusSnapshot>;
  untilReady(): Promise<void>;
  untilLine(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<{ code: number | null; signal: string | null }>;
}

export async function openWorkbench(): Promise<Workbench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-launcher-'));
  // Kept between runs: what is measured and tested here is the launcher, not the download of packages.
  const cache = process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache');
  const { path: uv } = await ensureUv({ cacheDirectory: cache, signal: AbortSignal.timeout(120_000) });
  // What is tested is what ships: one bundled file each.
  await buildPrograms({ sandbox: directory, platform: directory });
  const launcher = path.join(directory, 'launcher.mjs');
  const installer = await startInstaller(directory, path.join(cache, 'launcher-tests'), uv);
  const store = await startTestStore();
  const started: TestInstance[] = [];
  return {
    store,
    uv,
    installerSocket: installer.socket,
    directory,
    start: async (options = {}) => {
      const instance = await startInstance(
        { directory, launcher, uv, store, socket: installer.socket },
        options,
      );
      started.push(instance);
      return instance;
    },
    close: async () => {
      await Promise.all(started.map((instance) => instance.stop()));
      installer.process.kill('SIGTERM');
      await new Promise((resolve) => installer.process.once('close', resolve));
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startInstaller(directory: string, environments: string, uv: string) {
  const socket = path.join(directory, 'installer.sock');
  await mkdir(environments, { recursive: true });
  const child = spawn(process.execPath, [path.join(directory, 'installer.mjs')], {
    env: { ...process.env, HAIC_INSTALLER_SOCKET: socket, HAIC_ENVIRONMENTS_DIR: environments, HAIC_UV: uv },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints: string[] = [];
  readLines(child.stderr, (line) => complaints.push(line));
  const client = connectInstaller(socket);
  await poll(async () => {
    if (child.exitCode !== null) assert.fail(`The installer ended:\n${complaints.join('\n')}`);
    return client.health().then(
      () => true,
      () => undefined,
    );
  });
  return { process: child, socket };
}

interface Bench {
  directory: string;
  launcher: string;
  uv: string;
  store: TestStore;
  socket: string;
}

async function startInstance(bench: Bench, options: StartOptions): Promise<TestInstance> {
  const root = options.root ?? (await mkdtemp(path.join(bench.directory, 'root-')));
  const [portStatus, portApp] = [await freePort(), await freePort()];
  const config = instanceConfig(bench, portApp, options.config);
  const configFile = path.join(root, 'instance.json');
  await writeFile(configFile, options.rawConfig ?? JSON.stringify(config));
  const child = spawn(process.execPath, [bench.launcher], {
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HAIC_PORT_STATUS: String(portStatus),
      HAIC_PORT_APP: String(portApp),
      HAIC_LAUNCHER_CONFIG: configFile,
      HAIC_ROOT: root,
      HAIC_UV: bench.uv,
      // Long enough to be seen by a poll, short enough for many tests.
      HAIC_FAILURE_LINGER: '1',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log = collect(child);
  const statusUrl = `http://127.0.0.1:${portStatus}`;
  const status = async () => (await (await fetch(`${statusUrl}/status`)).json()) as StatusSnapshot;
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const until = async (check: (status: StatusSnapshot) => boolean) =>
    poll(async () => {
      if (child.exitCode !== null) assert.fail(`The launcher ended:\n${log.lines.join('\n')}`);
      const now = await status().catch(() => undefined);
      return now !== undefined && check(now) ? now : undefined;
    });
  return {
    id: config.instanceId,
    root,
    statusUrl,
    appUrl: `http://127.0.0.1:${portApp}`,
    portApp,
    lines: log.lines,
    ended,
    status,
    until,
    untilReady: async () => {
      const now = await until(({ phase }) => phase === 'ready' || phase === 'failed');
      assert.equal(now.phase, 'ready', log.lines.join('\n'));
    },
    untilLine: log.untilLine,
    kill: (signal) => void child.kill(signal),
    stop: () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
}

function collect(child: ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> }) {
  const lines: string[] = [];
  const waiting = new Set<{
    pattern: RegExp;
    resolve: (line: string) => void;
    reject: (error: Error) => void;
  }>();
  readLines(child.stdout, (line) => {
    lines.push(line);
    for (const waiter of waiting) {
      if (!waiter.pattern.test(line)) continue;
      waiting.delete(waiter);
      waiter.resolve(line);
    }
  });
  child.once('close', () => {
    for (const waiter of waiting)
      waiter.reject(new Error(`no line ${waiter.pattern} in\n${lines.join('\n')}`));
  });
  const untilLine = (pattern: RegExp) => {
    const found = lines.find((line) => pattern.test(line));
    if (found !== undefined) return Promise.resolve(found);
    return new Promise<string>((resolve, reject) => waiting.add({ pattern, resolve, reject }));
  };
  return { lines, untilLine };
}

function instanceConfig(bench: Bench, portApp: number, change: Partial<LauncherConfig> = {}): LauncherConfig {
  return {
    instanceId: randomUUID(),
    appId: 'app-1',
    appName: 'test-app',
    appVersion: '1.2.3',
    ownerUsername: 'ada',
    visibility: 'PRIVATE',
    publicUrl: bench.store.url,
    instanceUrl: `http://127.0.0.1:${portApp}/`,
    baseUrl: '/',
    mode: 'wave',
    module: 'src.app',
    runtimeVersion: '',
    env: [],
    files: [],
    secrets: false,
    storeUrl: bench.store.url,
    hmacKey: bench.store.key,
    oidc: null,
    platformHandle: false,
    installer: { socket: bench.socket },
    network: {},
    ...change,
  };
}

/** Of what no event tells; the test runner's own limit is the deadline. */
export async function poll<T>(check: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The requirements of the samples, so that all tests share one environment. */
export const waveRequirements = (): Promise<string> =>
  readFile(path.join(repository, 'samples/hello/requirements.txt'), 'utf8');

/** A Wave app of one file. */
export async function waveBundle(source: string, more: readonly ZipItem[] = []): Promise<Buffer> {
  return makeZip([
    { name: 'app.toml', content: '[App]\nName = "test-app"\nVersion = "1.2.3"\n' },
    { name: 'requirements.txt', content: await waveRequirements() },
    { name: 'src/__init__.py' },
    { name: 'src/app.py', content: source },
    ...more,
  ]);
}

/** One of samples/, as its bundle. */
export async function sampleBundle(name: string): Promise<Buffer> {
  const folder = path.join(repository, 'samples', name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const items: ZipItem[] = [];
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.pyc')) continue;
    const file = path.join(entry.parentPath, entry.name);
    items.push({ name: path.relative(folder, file), content: await readFile(file) });
  }
  return makeZip(items);
}

/** Ids of living processes that carry the instance's id in their environment. */
export async function processesOf(instanceId: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    if (environment.includes(`H2O_CLOUD_INSTANCE_ID=${instanceId}`)) found.push(Number(name));
  }
  return found;
}
