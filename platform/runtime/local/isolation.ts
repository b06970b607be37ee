import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf, unavailable } from '@haic/kit/errors.ts';
import type { RuntimeCapabilities } from '../port.ts';
import type { Cgroups } from './cgroup.ts';
import type { LocalRuntimeOptions } from './options.ts';
import { baseArguments, privilegesDropped } from './sandbox.ts';

const run = promisify(execFile);
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

export interface Isolation {
  readonly isolated: boolean;
  /** Before the command: gives it back the signals that a shell takes from what it starts in the background. */
  readonly signalsRestored: readonly string[];
  readonly missing: RuntimeCapabilities['missing'];
}

/** Decides once whether workloads are sandboxed, by making a sandbox. */
export async function chooseIsolation(options: LocalRuntimeOptions): Promise<Isolation> {
  const signals = ['env', '--default-signal=INT,QUIT'];
  const signalsRestored = await run('env', [...signals.slice(1), 'true'], { env }).then(
    () => signals,
    () => [],
  );
  if (options.isolation === 'none') {
    const remedy = 'Isolation was turned off by a setting; turn it on again.';
    return { isolated: false, signalsRestored, missing: [{ what: unprotected, remedy }] };
  }
  const obstacle = await whatPreventsIsolation(options);
  if (obstacle === undefined) return { isolated: true, signalsRestored, missing: [] };
  if (options.isolation === 'required')
    throw unavailable('isolation_unavailable', `${obstacle.what} ${obstacle.remedy}`);
  const missing = [{ what: `${unprotected} ${obstacle.what}`, remedy: obstacle.remedy }];
  return { isolated: false, signalsRestored, missing };
}

const unprotected =
  'Apps run as the same user as the platform, without a sandbox: they can read its files and each other’s.';

type Obstacle = RuntimeCapabilities['missing'][number];

async function whatPreventsIsolation(options: LocalRuntimeOptions): Promise<Obstacle | undefined> {
  if (process.getuid?.() !== 0)
    return {
      what: 'A sandbox with a user of its own for each app needs root.',
      remedy: 'Start Haic as root.',
    };
  for (const [tool, remedy] of [
    ['bwrap', 'Install bubblewrap: apt install bubblewrap'],
    ['setpriv', 'Install setpriv: apt install util-linux'],
  ] as const) {
    const there = await run(tool, ['--version'], { env }).then(
      () => true,
      () => false,
    );
    if (!there) return { what: `${tool} is not installed.`, remedy };
  }
  return tryIsolation(options);
}

/** Runs a real sandbox with a directory of each kind in it, as the first of the uids. */
async function tryIsolation(options: LocalRuntimeOptions): Promise<Obstacle | undefined> {
  const trials = [];
  try {
    for (const directory of [options.stateDirectory, options.volumesDirectory])
      trials.push(await mkdtemp(path.join(directory, '.trial-')));
    await run('chmod', ['755', ...trials], { env });
    const binds = trials.flatMap((trial, index) => ['--ro-bind', trial, `/trial${index}`]);
    const [command = '', ...args] = privilegesDropped(options.uids.first);
    await run(command, [...args, 'bwrap', ...(await baseArguments()), ...binds, '--clearenv', '/bin/true'], {
      env,
    });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : messageOf(error);
    const remedy = /Can't find source path/.test(said)
      ? `Make ${options.stateDirectory} and ${options.volumesDirectory}, and all directories above them, passable for other users (chmod o+x).`
      : 'Allow unprivileged user namespaces for bubblewrap (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, or its AppArmor profile).';
    return { what: `bubblewrap does not work here: ${said}`, remedy };
  } finally {
    for (const trial of trials) await rm(trial, { recursive: true, force: true });
  }
}

export function describeCapabilities(
  isolation: Isolation,
  cgroups: Cgroups | undefined,
): RuntimeCapabilities {
  const limits = [
    cgroups?.limits.memory === true ? 'memory' : '',
    cgroups?.limits.cpu === true ? 'processor time' : '',
    cgroups?.limits.pids === true ? 'number of processes' : '',
  ].filter((limit) => limit !== '');
  const missing = [...isolation.missing];
  if (limits.length < 3) {
    missing.push({
      what: `The kernel's limits are ${limits.length === 0 ? 'not to be had: apps can use all memory and processors' : `to be had for ${limits.join(' and ')} only`}.`,
      remedy: 'Start Haic as root on a machine with writable cgroups (memory, cpu and pids controllers).',
    });
  }
  missing.push(
    {
      what: 'All apps share the network of this machine: one can connect to another’s loopback ports.',
      remedy: 'Use Kubernetes where apps of people who do not trust each other run.',
    },
    {
      what: 'The size of a volume is recorded and not enforced.',
      remedy: 'Put the volumes on a file system of their own, or use Kubernetes.',
    },
  );
  const separated = isolation.isolated
    ? [
        'Each app has a user id of its own and no privileges.',
        'Each app has its own view of files, processes and temporary memory (bubblewrap); the platform’s state, sockets and keys are not in it.',
      ]
    : [];
  if (limits.length > 0) separated.push(`The kernel limits each app: ${limits.join(', ')}.`);
  return { kind: 'local', isolation: separated, missing };
}
