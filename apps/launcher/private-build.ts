import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EnvironmentNeedsBuild } from '@haic/services/environments/client.ts';
import { findBreaks, knownBreaks } from '@haic/services/environments/known-breaks.ts';
import { runTool } from './child-process.ts';
import { toolEnvironment } from './environment.ts';
import { LaunchFailure } from './failure.ts';
import { likelyCause } from './likely-cause.ts';
import type { LauncherPaths } from './paths.ts';
import type { PythonSetup } from './python-setup.ts';
import type { BundleRequirements } from './requirements.ts';

/** Of a tool; `pip freeze` has one for each package. */
const keptLines = 2_000;

/** The failure of an installation, with what usually is behind it. */
export function cannotInstall(setup: PythonSetup, message: string, lines: readonly string[]): LaunchFailure {
  const cause = likelyCause(lines, setup);
  const text = cause === undefined || message.includes(cause) ? message : `${message}\n${cause}`;
  return new LaunchFailure(`The dependencies could not be installed. ${text}`, lines);
}

/** Runs builds as the app itself, in its own sandbox, with a cache that nobody else ever reads. */
export async function buildPrivately(
  setup: PythonSetup,
  requirements: BundleRequirements,
  outcome: EnvironmentNeedsBuild,
): Promise<void> {
  const { paths, uv, log } = setup;
  log.line('install', outcome.message);
  if (uv === undefined)
    throw cannotInstall(setup, `${outcome.message} This sandbox has no tool to build it.`, []);
  const fingerprint = fingerprintOf(requirements, outcome.interpreter, setup.runtime?.cutOff);
  if (await isBuilt(paths, fingerprint)) {
    log.line('install', 'The private environment of this instance is there already.');
    return;
  }
  setup.say(`Building ${outcome.packages.join(', ')} for this instance; this can take minutes.`);
  await rm(paths.venv, { recursive: true, force: true });
  await mkdir(paths.notes, { recursive: true });
  await runUv(setup, ['venv', '--no-project', '--python', outcome.interpreter, paths.venv]);
  const constraints = requirements.constraints ?? '';
  const cutOff = await installOrGoBack(setup, constraints, outcome.cutOffs, fingerprint);
  await repair(setup, constraints, cutOff);
  await writeFile(builtMark(paths), fingerprint);
}

/**
 * With what there is today; when that cannot be built, with the packages as they were when the app was published. Returns the day of that.
 * A build can take minutes, so what failed once is not tried again by the next process in this place.
 */
async function installOrGoBack(
  setup: PythonSetup,
  constraints: string,
  cutOffs: readonly string[],
  fingerprint: string,
): Promise<string | undefined> {
  const { log, paths, runtime } = setup;
  const note = path.join(paths.notes, 'cut-off');
  const [rememberedFor, remembered] = (await readFile(note, 'utf8').catch(() => '')).split(' ');
  const known = rememberedFor === fingerprint ? remembered : undefined;
  if (known !== undefined)
    log.line('install', `Packages published after ${known} are left out, as at an earlier start.`);
  const start = runtime?.cutOff ?? known;
  try {
    await installList(setup, constraints, start);
    return start;
  } catch (error) {
    if (!(error instanceof LaunchFailure) || start !== undefined) throw error;
    for (const cutOff of cutOffs) {
      log.line(
        'install',
        `That failed. Trying with the packages as they were when this app was published: nothing newer than ${cutOff}.`,
      );
      if (!(await succeeds(installList(setup, constraints, cutOff)))) continue;
      log.line(
        'install',
        `Packages published after ${cutOff} were left out, because newer ones cannot be built here.`,
      );
      await writeFile(note, `${fingerprint} ${cutOff}`);
      return cutOff;
    }
    // What the app itself asks for is what its author can mend.
    throw error;
  }
}

const succeeds = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    (error: unknown) => {
      if (error instanceof LaunchFailure) return false;
      throw error;
    },
  );

async function installList(
  setup: PythonSetup,
  constraints: string,
  cutOff: string | undefined,
): Promise<void> {
  const { paths } = setup;
  const file = path.join(paths.notes, 'constraints.txt');
  await writeFile(file, constraints);
  const list = path.join(paths.app, 'requirements.txt');
  const older = cutOff === undefined ? [] : ['--exclude-newer', cutOff];
  await runUv(setup, ['pip', 'install', '--python', paths.venv, ...older, '-c', file, '-r', list]);
}

/** Keeps packages apart that are known not to work together, as the installer does for shared environments. */
async function repair(setup: PythonSetup, constraints: string, cutOff: string | undefined): Promise<void> {
  const installed = await runUv(setup, ['pip', 'freeze', '--python', setup.paths.venv], () => undefined);
  const found = findBreaks(installed.join('\n'), knownBreaks);
  if (found.length === 0) return;
  for (const { constrain, because } of found)
    setup.log.line('install', `Constrained to ${constrain.join(', ')}: ${because}`);
  try {
    const lines = [constraints, ...found.flatMap(({ constrain }) => constrain)];
    await installList(setup, lines.join('\n'), cutOff);
  } catch (error) {
    if (!(error instanceof LaunchFailure)) throw error;
    setup.log.line('install', 'That cannot be had, so the packages stay as they were published.');
  }
}

const builtMark = (paths: LauncherPaths) => path.join(paths.venv, '.haic-built');

async function isBuilt(paths: LauncherPaths, fingerprint: string): Promise<boolean> {
  const facts = await lstat(paths.venv).catch(() => undefined);
  if (facts === undefined || !facts.isDirectory()) return false;
  return (await readFile(builtMark(paths), 'utf8').catch(() => '')) === fingerprint;
}

function fingerprintOf(
  requirements: BundleRequirements,
  interpreter: string,
  cutOff: string | undefined,
): string {
  const wheels = requirements.wheels.map(({ path: name, sha256 }) => [name, sha256]);
  const all = JSON.stringify([
    requirements.text,
    requirements.constraints ?? '',
    wheels,
    interpreter,
    cutOff ?? '',
  ]);
  return createHash('sha256').update(all).digest('hex');
}

async function runUv(
  setup: PythonSetup,
  args: readonly string[],
  show = (line: string) => setup.log.line('install', line),
): Promise<string[]> {
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
      if (lines.length > keptLines) lines.shift();
      show(line);
    },
    signal: setup.signal,
  });
  if (end.code === 0) return lines;
  const reason =
    end.startError === undefined ? `uv ${args[0]} ended with ${end.code ?? end.signal}` : end.startError;
  throw cannotInstall(setup, `The private build failed (${reason}).`, lines.slice(-20));
}
