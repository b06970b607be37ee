import { spawn } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ensureGo, withoutToolchains } from './go.ts';
import { ensureKept, keyOf } from './kept.ts';
import { run } from './run.ts';

const sources = fileURLToPath(new URL('.', import.meta.url));
const keyed = ['go.mod', 'go.sum', 'main.go', 'pause/main.go'];
const helm = 'helm.sh/helm/v3/cmd/helm';

export interface BuildOptions {
  readonly cacheDirectory: string;
  /** How far it is, in a few words; said often. */
  readonly tell: (detail: string) => void;
  readonly signal: AbortSignal;
}

/**
 * The programs of the test cluster, built from Go modules as go.sum pins them: once, then kept in the cache. Returns their folder:
 * `kubernetes` (all components and etcd in one, with a link for each name), `kubectl`, `helm`, and `pause`, the first process of a pod.
 */
export async function ensureBinaries(options: BuildOptions): Promise<string> {
  const key = await keyOf(sources, keyed, await linkerFlags());
  const folder = path.join(options.cacheDirectory, 'test-cluster', `bin-${key}`);
  return ensureKept(folder, async (staging) => {
    await build(await ensureGo(options), staging, options);
    for (const name of ['etcd', 'kubectl']) await symlink('kubernetes', path.join(staging, name));
  });
}

async function build(go: string, target: string, options: BuildOptions): Promise<void> {
  const env = goEnvironment(options.cacheDirectory);
  options.tell('fetching modules');
  const total = (await run(go, ['list', '-deps', '.', helm], { cwd: sources, env, signal: options.signal }))
    .trim()
    .split('\n').length;
  const linking = await linkerFlags();
  let compiled = 0;
  const progress = () => {
    compiled += 1;
    options.tell(`compiled ${compiled} of ${total} packages`);
  };
  for (const [program, from] of [
    ['kubernetes', '.'],
    ['helm', helm],
    ['pause', './pause'],
  ] as const) {
    const what = { folder: sources, from, linking, program: path.join(target, program) };
    await buildProgram(go, what, options, progress);
  }
}

/** Nobody debugs what is built here, and what a debugger needs is a good part of the work. */
export const buildFlags: readonly string[] = ['-v', '-trimpath', '-gcflags=all=-dwarf=false'];

/**
 * Builds a program from modules as the go.sum of the folder pins them. One at a time: a second one then finds all that the first has compiled,
 * instead of compiling it beside it.
 */
export function buildProgram(
  go: string,
  what: {
    readonly folder: string;
    /** The package, as seen from there. */
    readonly from: string;
    readonly linking: string;
    /** The file that it becomes. */
    readonly program: string;
  },
  { cacheDirectory, signal }: Pick<BuildOptions, 'cacheDirectory' | 'signal'>,
  onPackage: () => void,
): Promise<void> {
  const lock = path.join(cacheDirectory, 'test-cluster', 'build.lock');
  const command = [lock, go, 'build', ...buildFlags, '-ldflags', what.linking, '-o', what.program, what.from];
  return follow(
    'flock',
    command,
    { cwd: what.folder, env: goEnvironment(cacheDirectory), signal },
    onPackage,
  );
}

/** What is fetched and compiled is kept in the cache, and nothing but what go.sum names is taken. */
export const goEnvironment = (cacheDirectory: string): NodeJS.ProcessEnv => ({
  ...withoutToolchains(),
  CGO_ENABLED: '0',
  // The compiler's own memory: collected less often, it takes a tenth less time.
  GOGC: '400',
  GOFLAGS: '-buildvcs=false -mod=readonly',
  GOCACHE: path.join(cacheDirectory, 'go', 'build'),
  GOMODCACHE: path.join(cacheDirectory, 'go', 'modules'),
});

/** What the released binaries are told by their makers: which version they are. */
async function linkerFlags(): Promise<string> {
  const text = await readFile(path.join(sources, 'go.mod'), 'utf8');
  const versionOf = (module: string): string => {
    const version = new RegExp(`^\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(text)?.[1];
    if (version === undefined) throw new Error(`go.mod names no version of ${module}.`);
    return version;
  };
  const kubernetes = versionOf('k8s.io/kubernetes');
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(kubernetes) ?? [];
  const facts = { gitVersion: kubernetes, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const told = ['k8s.io/client-go/pkg/version', 'k8s.io/component-base/version'].flatMap((module) =>
    Object.entries(facts).map(([name, value]) => `-X ${module}.${name}=${value}`),
  );
  const helmModule = 'helm.sh/helm/v3';
  const helmFacts = [
    `-X ${helmModule}/internal/version.version=${versionOf(helmModule)}`,
    // What it renders for where it is asked about no cluster.
    ...['pkg/chartutil', 'pkg/lint/rules'].flatMap((folder) => [
      `-X ${helmModule}/${folder}.k8sVersionMajor=${major}`,
      `-X ${helmModule}/${folder}.k8sVersionMinor=${minor}`,
    ]),
  ];
  return ['-s', '-w', ...told, ...helmFacts].join(' ');
}

/** `go build -v` names each package on a line of its own as it comes to it. */
function follow(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
  onPackage: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) onPackage();
      else said.push(line);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The test cluster could not be built:\n${said.slice(-12).join('\n')}`));
    });
  });
}
