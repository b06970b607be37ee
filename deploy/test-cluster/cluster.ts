import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { isAlive } from '@haic/kit/process-identity.ts';
import { ensureBinaries } from './binaries.ts';
import { type ComponentName, pauseImage } from './components.ts';
import { askControl } from './control.ts';
import { ensureNodePackages } from './debian.ts';
import { type ClusterRecord, enclosed, readRecord, remove, startEnclosed } from './enclosure.ts';
import { writeImage } from './image.ts';
import { at, containerdSocket, insideEnvironment, type Layout } from './layout.ts';
import { ensurePolicyEnforcer } from './network-policies.ts';
import { isThere, run } from './run.ts';

/** A real Kubernetes with one real node, in namespaces of its own: its API, pods and Services are reached from inside only. */
export interface TestCluster {
  readonly name: string;
  readonly folder: string;
  /** For clients inside: as the cluster's administrator. */
  readonly kubeconfig: string;
  /**
   * What to spawn to run a command in it: in its network, with the machine's files (`network`), or wholly inside, as on its node
   * (`node`). `kubectl` and `helm` are on the PATH and signed in.
   */
  command(words: readonly string[], where?: 'network' | 'node'): SpawnedInside;
  /** Starts a component that was killed; resolves when the API server answers. */
  start(component: ComponentName): Promise<void>;
  kill(component: ComponentName): Promise<void>;
  /** Ends all of it and removes what it left: processes, mounts, control groups, files. */
  stop(): Promise<void>;
}

export interface SpawnedInside {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface StartOptions {
  readonly cacheDirectory: string;
  /** Told apart by their names, two run at once. */
  readonly name: string;
  /** Files as `writeImage` makes them. There is no registry: pods can have these images only. */
  readonly images?: readonly string[];
  /** It ends with this process, however that ends; otherwise it goes on until `stop`. */
  readonly tied: boolean;
  /** How far it is, in a few words; building takes minutes, once. */
  readonly tell?: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** Builds what the cache does not hold yet, and starts a cluster; resolves when its node is ready. */
export async function startCluster(options: StartOptions): Promise<TestCluster> {
  const { cacheDirectory, name, signal, tell = () => {} } = options;
  const missing = whyNotHere();
  if (missing !== undefined) throw new Error(missing);
  const binaries = await ensureBinaries({ cacheDirectory, tell, signal });
  const enforcer = await ensurePolicyEnforcer({ cacheDirectory, tell, signal });
  const debian = await ensureNodePackages({ cacheDirectory, tell, signal });
  await sweep(cacheDirectory);
  const layout: Layout = { folder: folderOf(cacheDirectory, name), binaries, debian, enforcer };
  if (await isThere(layout.folder)) throw new Error(`There is a test cluster "${name}" already.`);
  tell('starting');
  await mkdir(at(layout, 'images'), { recursive: true });
  try {
    await writePauseImage(layout, signal);
    for (const image of options.images ?? [])
      await copyFile(image, at(layout, 'images', path.basename(image)));
    return clusterOf(name, layout, await startEnclosed(layout, options));
  } catch (error) {
    await remove(layout.folder);
    throw error;
  }
}

/** A running cluster by its name. */
export async function findCluster(cacheDirectory: string, name: string): Promise<TestCluster | undefined> {
  const folder = folderOf(cacheDirectory, name);
  const record = await readRecord(folder);
  if (record === undefined || !(await isAlive(record.holder))) return undefined;
  return clusterOf(name, { folder, ...record }, record);
}

export async function runningClusters(cacheDirectory: string): Promise<readonly TestCluster[]> {
  const names = await readdir(clustersIn(cacheDirectory)).catch(() => []);
  return (await Promise.all(names.map((name) => findCluster(cacheDirectory, name)))).filter(
    (cluster) => cluster !== undefined,
  );
}

/** Why no cluster can run on this machine, in words for whoever wants one; undefined when one can. */
export function whyNotHere(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'A test cluster runs on Linux x86-64 only.';
  if (process.getuid?.() !== 0)
    return 'A test cluster needs root: it makes namespaces, mounts and control groups.';
  return undefined;
}

/** An image for a cluster that runs already. */
export async function importImage(cluster: TestCluster, file: string, signal: AbortSignal): Promise<void> {
  const words = ['ctr', '-a', containerdSocket, '-n', 'k8s.io', 'images', 'import', file];
  const { command, args, env } = cluster.command(words, 'node');
  await run(command, args, { env, signal });
}

/** Names that its pods resolve, with their addresses, beside those of Services; `*.example.org` is all that is below. */
export async function setHosts(cluster: TestCluster, hosts: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}`);
  await writeFile(path.join(cluster.folder, 'hosts'), `${lines.join('\n')}\n`);
}

function clusterOf(name: string, layout: Layout, record: ClusterRecord): TestCluster {
  const { folder } = layout;
  const control = (verb: 'start' | 'stop') => async (component: ComponentName) =>
    void (await askControl(
      at(layout, 'control.sock'),
      { name: component, verb },
      AbortSignal.timeout(150_000),
    ));
  const kubeconfig = at(layout, 'admin.kubeconfig');
  return {
    name,
    folder,
    kubeconfig,
    command: (words, where = 'network') => ({
      command: 'nsenter',
      args: [...enclosed(record, where), ...words],
      env: {
        ...withoutProxies(process.env),
        ...insideEnvironment(layout),
        KUBECONFIG: kubeconfig,
        HAIC_TEST_CLUSTER: name,
      },
    }),
    start: control('start'),
    kill: control('stop'),
    stop: () => remove(folder),
  };
}

/** What is inside is reached without going through anybody. */
const withoutProxies = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));

const clustersIn = (cacheDirectory: string): string => path.join(cacheDirectory, 'test-cluster', 'run');

function folderOf(cacheDirectory: string, name: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name))
    throw new Error(`"${name}" is not a name of a test cluster: small letters, digits and dashes.`);
  return path.join(clustersIn(cacheDirectory), name);
}

/** Removes what clusters left that were ended from outside: their processes are gone, their files and control groups are not. */
async function sweep(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(clustersIn(cacheDirectory)).catch(() => [])) {
    const folder = folderOf(cacheDirectory, name);
    const record = await readRecord(folder);
    // Without a record it is being started just now, or somebody's start was killed within a moment.
    if (record !== undefined && !(await isAlive(record.holder))) await remove(folder);
  }
}

async function writePauseImage(layout: Layout, signal: AbortSignal): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), 'haic-pause-'));
  try {
    await run('cp', [path.join(layout.binaries, 'pause'), root], { signal });
    const spec = { reference: pauseImage, entrypoint: ['/pause'], root };
    await writeImage(at(layout, 'images', 'pause.tar'), spec, signal);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
