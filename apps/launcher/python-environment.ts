import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import type {
  EnvironmentNeedsBuild,
  EnvironmentOutcome,
  EnvironmentsClient,
  Waved,
} from '@haic/services/environments/client.ts';
import { runTool } from './child-process.ts';
import { type Environment, toolEnvironment } from './environment.ts';
import { LaunchFailure } from './failure.ts';
import type { InstanceLog } from './instance-log.ts';
import { likelyCause } from './likely-cause.ts';
import type { LauncherPaths } from './paths.ts';
import { type Patience, persist } from './patience.ts';
import { type BundleRequirements, defaultWaveRequirements, readBundleRequirements } from './requirements.ts';

export interface PythonSetup {
  readonly installer: EnvironmentsClient;
  readonly paths: LauncherPaths;
  readonly mode: 'wave' | 'python';
  readonly module: string;
  /** Versions of its requirements are chosen once for the app, so that every instance and restart runs the same. */
  readonly appId: string;
  readonly runtimeVersion: string;
  /** Place of uv in the sandbox, for what has to be built privately. */
  readonly uv: string | undefined;
  readonly site: Environment;
  readonly log: InstanceLog;
  readonly say: (message: string) => void;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

/** Brings `/resources/venv`: a link to a shared read-only environment, or a private build where code of others has to run. */
export async function preparePython(setup: PythonSetup): Promise<void> {
  const requirements = await requirementsOf(setup);
  const outcome = await askInstaller(setup, requirements);
  if (outcome.type === 'failed') throw cannotInstall(setup, outcome.message, outcome.lines);
  if (outcome.type === 'needs-build') return buildPrivately(setup, requirements, outcome);
  setup.log.line(
    'install',
    outcome.cached ? 'The environment is there already.' : 'The environment is ready.',
  );
  await rm(setup.paths.venv, { recursive: true, force: true });
  await symlink(outcome.path, setup.paths.venv);
  keepInUse(setup, outcome.hash);
}

/** The installer sweeps environments that nobody used for a month; one that is in use all that time says so once a day. */
function keepInUse(setup: PythonSetup, hash: string): void {
  const timer = setInterval(
    () => {
      setup.installer.keep(hash).catch((error: unknown) => setup.log.line('launcher', messageOf(error)));
    },
    24 * 60 * 60_000,
  );
  timer.unref();
  setup.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

async function requirementsOf(setup: PythonSetup): Promise<BundleRequirements> {
  const found = await readBundleRequirements(setup.paths.app);
  if (found !== undefined) return found;
  const text = setup.mode === 'wave' ? defaultWaveRequirements : '';
  const consequence = text === '' ? 'nothing is installed' : `installing ${text.trim()}`;
  setup.log.line('install', `The bundle has no requirements.txt: ${consequence}.`);
  return { text, constraints: undefined, wheels: [] };
}

async function askInstaller(
  setup: PythonSetup,
  requirements: BundleRequirements,
): Promise<EnvironmentOutcome> {
  const request = {
    python: /(\d+\.\d+)$/.exec(setup.runtimeVersion)?.[1] ?? 'default',
    requirements: requirements.text,
    scope: setup.appId,
    wheels: requirements.wheels.map(({ path: name, sha256 }) => ({ path: name, sha256 })),
    ...(requirements.constraints === undefined ? {} : { constraints: requirements.constraints }),
  };
  return withInstaller(setup, async (signal) => {
    for (const { file, fileName, sha256 } of requirements.wheels)
      await setup.installer.putWheel({ file, fileName, sha256, signal });
    return setup.installer.prepare(request, { onLine: (line) => setup.log.line('install', line), signal });
  });
}

/** The platform's own waved. */
export const askForWaved = (setup: PythonSetup): Promise<Waved> =>
  withInstaller(setup, (signal) => setup.installer.waved({ signal }));

/** The installer may be starting or restarting: only an answer of its own is an answer. */
async function withInstaller<T>(setup: PythonSetup, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await persist(ask, {
      patience: setup.patience,
      signal: setup.signal,
      isFinal: (error) => statusOf(error) >= 400 && statusOf(error) < 500,
      onRetry: (message) => {
        setup.log.line('install', `${message} Trying again.`);
        setup.say('Waiting for the installer of this platform.');
      },
    });
  } catch (error) {
    if (setup.signal.aborted) throw error;
    throw new LaunchFailure(`The dependencies could not be installed. ${messageOf(error)}`, [], error);
  }
}

const statusOf = (error: unknown): number =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 500;

function cannotInstall(setup: PythonSetup, message: string, lines: readonly string[]): LaunchFailure {
  const cause = likelyCause(lines, setup);
  const text = cause === undefined || message.includes(cause) ? message : `${message}\n${cause}`;
  return new LaunchFailure(`The dependencies could not be installed. ${text}`, lines);
}

/** Runs builds as the app itself, in its own sandbox, with a cache that nobody else ever reads. */
async function buildPrivately(
  setup: PythonSetup,
  requirements: BundleRequirements,
  outcome: EnvironmentNeedsBuild,
): Promise<void> {
  const { paths, uv, log } = setup;
  log.line('install', outcome.message);
  if (uv === undefined)
    throw cannotInstall(setup, `${outcome.message} This sandbox has no tool to build it.`, []);
  const fingerprint = fingerprintOf(requirements, outcome.interpreter);
  if (await isBuilt(paths, fingerprint)) {
    log.line('install', 'The private environment of this instance is there already.');
    return;
  }
  setup.say(`Building ${outcome.packages.join(', ')} for this instance; this can take minutes.`);
  await rm(paths.venv, { recursive: true, force: true });
  await mkdir(paths.notes, { recursive: true });
  await runUv(setup, ['venv', '--no-project', '--python', outcome.interpreter, paths.venv]);
  const constraints = path.join(paths.notes, 'constraints.txt');
  await writeFile(constraints, requirements.constraints ?? '');
  const list = path.join(paths.app, 'requirements.txt');
  await runUv(setup, ['pip', 'install', '--python', paths.venv, '-c', constraints, '-r', list]);
  await writeFile(builtMark(paths), fingerprint);
}

const builtMark = (paths: LauncherPaths) => path.join(paths.venv, '.haic-built');

async function isBuilt(paths: LauncherPaths, fingerprint: string): Promise<boolean> {
  const facts = await lstat(paths.venv).catch(() => undefined);
  if (facts === undefined || !facts.isDirectory()) return false;
  return (await readFile(builtMark(paths), 'utf8').catch(() => '')) === fingerprint;
}

function fingerprintOf(requirements: BundleRequirements, interpreter: string): string {
  const wheels = requirements.wheels.map(({ path: name, sha256 }) => [name, sha256]);
  const all = JSON.stringify([requirements.text, requirements.constraints ?? '', wheels, interpreter]);
  return createHash('sha256').update(all).digest('hex');
}

async function runUv(setup: PythonSetup, args: readonly string[]): Promise<void> {
  const lines: string[] = [];
  const end = await runTool({
    command: setup.uv ?? 'uv',
    args,
    cwd: setup.paths.app,
    env: {
      ...toolEnvironment(setup.paths, setup.site),
      UV_CACHE_DIR: setup.paths.uvCache,
      UV_PYTHON_DOWNLOADS: 'never',
      UV_NO_CONFIG: '1',
      UV_NO_PROGRESS: '1',
      UV_SYSTEM_CERTS: '1',
      UV_NO_ENV_FILE: '1',
      UV_HTTP_TIMEOUT: '60',
    },
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 200) lines.shift();
      setup.log.line('install', line);
    },
    signal: setup.signal,
  });
  if (end.code === 0) return;
  const reason =
    end.startError === undefined ? `uv ${args[0]} ended with ${end.code ?? end.signal}` : end.startError;
  throw cannotInstall(setup, `The private build failed (${reason}).`, lines.slice(-20));
}
