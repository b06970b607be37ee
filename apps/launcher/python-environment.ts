import { rm, symlink } from 'node:fs/promises';
import { messageOf } from '@haic/kit/errors.ts';
import type { EnvironmentOutcome, Waved } from '@haic/services/environments/client.ts';
import { LaunchFailure } from './failure.ts';
import { persist } from './patience.ts';
import { buildPrivately, cannotInstall } from './private-build.ts';
import type { PythonSetup } from './python-setup.ts';
import { type BundleRequirements, defaultWaveRequirements, readBundleRequirements } from './requirements.ts';

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
  const { runtime } = setup;
  const found = await readBundleRequirements(setup.paths.app);
  const asked = [
    ...(runtime?.constraints?.split('\n').filter((line) => line.trim() !== '') ?? []),
    ...(runtime?.cutOff === undefined ? [] : [`nothing published after ${runtime.cutOff}`]),
  ];
  if (asked.length > 0)
    setup.log.line('install', `The runtime version ${runtime?.name} asks for: ${asked.join(', ')}.`);
  const constraints = [found?.constraints, runtime?.constraints].filter((text) => text !== undefined);
  const shared = { constraints: constraints.length === 0 ? undefined : constraints.join('\n') };
  if (found !== undefined) return { ...found, ...shared };
  const text = setup.mode === 'wave' ? defaultWaveRequirements : '';
  const consequence = text === '' ? 'nothing is installed' : `installing ${text.trim()}`;
  setup.log.line('install', `The bundle has no requirements.txt: ${consequence}.`);
  return { text, ...shared, wheels: [] };
}

async function askInstaller(
  setup: PythonSetup,
  requirements: BundleRequirements,
): Promise<EnvironmentOutcome> {
  const request = {
    python: /(\d+\.\d+)$/.exec(setup.runtimeVersion)?.[1] ?? 'default',
    requirements: requirements.text,
    scope: setup.appId,
    ...(setup.runtime?.cutOff === undefined ? {} : { excludeNewer: setup.runtime.cutOff }),
    ...(setup.publishedOn === '' ? {} : { publishedOn: setup.publishedOn }),
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
