import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { EnvVar } from '../port.ts';
import { type Attempt, startAttempt } from './attempt.ts';
import type { Cgroup } from './cgroup.ts';
import { writeAtomically } from './durable-file.ts';
import type { Isolation } from './isolation.ts';
import type { ImageMount, LocalImage } from './options.ts';
import type { WorkloadRecord } from './records.ts';
import { baseEnvironment, privilegesDropped, type SandboxMount, sandboxArguments } from './sandbox.ts';
import type { Volumes } from './volumes.ts';

export interface Launch {
  readonly record: WorkloadRecord;
  readonly secret: Readonly<Record<string, string>>;
  readonly image: LocalImage;
  readonly ports: Readonly<Record<string, number>>;
  readonly workloadDirectory: string;
  readonly attemptDirectory: string;
  readonly cgroup: Cgroup | undefined;
  readonly isolation: Isolation;
  readonly volumes: Volumes;
  readonly livenessPollMs: number;
  readonly signal: AbortSignal;
}

/** Where a workload's own file system begins when there is no sandbox. */
export const plainRoot = (workloadDirectory: string): string => path.join(workloadDirectory, 'root');
export const plainMarker = (workloadDirectory: string): string => `HAIC_ROOT=${plainRoot(workloadDirectory)}`;

/** Puts everything that the command needs in place and starts it. */
export function launch(options: Launch): Promise<Attempt> {
  return options.isolation.isolated ? launchSandboxed(options) : launchPlain(options);
}

const attemptContext = (options: Launch) => ({
  directory: options.attemptDirectory,
  cgroup: options.cgroup,
  livenessPollMs: options.livenessPollMs,
  signal: options.signal,
});

async function launchSandboxed(options: Launch): Promise<Attempt> {
  const { record, image } = options;
  const { uid, spec } = record;
  const configuration = path.join(options.workloadDirectory, 'etc');
  await mkdir(configuration, { recursive: true, mode: 0o711 });
  const home = '/tmp';
  const env = { ...baseEnvironment(home), HAIC_ROOT: '', ...image.env, ...environmentOf(options) };
  const args = await sandboxArguments({
    uid,
    hostName: spec.name,
    directory: configuration,
    mounts: [...image.mounts.map(imageMount), ...(await options.volumes.prepare(record, options.secret))],
    env,
    workingDirectory: spec.template.workingDirectory ?? home,
  });
  // Opened by the shim, as root: the app's own uid could not read it.
  await writeAtomically(path.join(options.attemptDirectory, 'arguments'), args, { durable: false });
  return startAttempt({ ...attemptContext(options), mode: 'sandbox', marker: undefined }, [
    ...privilegesDropped(uid),
    ...options.isolation.signalsRestored,
    ...['bwrap', '--args', '3', '--'],
    ...spec.template.command,
  ]);
}

const imageMount = (mount: ImageMount): SandboxMount => ({
  hostPath: mount.hostPath,
  path: mount.path,
  readOnly: mount.readOnly ?? true,
  optional: mount.optional ?? false,
});

/**
 * Without a sandbox: the process sees the machine's own paths, so everything that the command and the environment name by a path of the
 * image or of a volume is turned into where it really is.
 */
async function launchPlain(options: Launch): Promise<Attempt> {
  const { record, image, workloadDirectory } = options;
  const { template } = record.spec;
  const root = plainRoot(workloadDirectory);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await options.volumes.preparePlain(record, options.secret, root);
  const places = [
    ...template.volumes.map(({ mountPath }) => [mountPath, path.join(root, mountPath)] as const),
    ...image.mounts.map((mount) => [mount.path, mount.hostPath] as const),
  ].toSorted(([a], [b]) => b.length - a.length);
  const placed = (text: string): string => {
    for (const [from, to] of places)
      if (text === from || text.startsWith(`${from}/`)) return to + text.slice(from.length);
    return text;
  };
  const temporary = path.join(root, 'tmp');
  const env = {
    ...baseEnvironment(temporary),
    TMPDIR: temporary,
    ...image.env,
    ...environmentOf(options),
  };
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(placed(value))}\n`);
  const workingDirectory = placed(template.workingDirectory ?? root);
  lines.push(`export HAIC_ROOT=${quoted(root)}\n`, `working_directory=${quoted(workingDirectory)}\n`);
  const [program = '', ...args] = template.command.map(placed);
  lines.push(`program=${quoted(program)}\n`);
  await writeAtomically(path.join(options.attemptDirectory, 'environment'), lines.join(''), {
    durable: false,
  });
  return startAttempt({ ...attemptContext(options), mode: 'plain', marker: plainMarker(workloadDirectory) }, [
    ...options.isolation.signalsRestored,
    program,
    ...args,
  ]);
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function environmentOf({ record, secret, ports }: Launch): Record<string, string> {
  const resolved = (entry: EnvVar): string => {
    if ('value' in entry) return entry.value;
    if ('secretKey' in entry) return secret[entry.secretKey] ?? '';
    return String(ports[entry.portName] ?? '');
  };
  return Object.fromEntries(record.spec.template.env.map((entry) => [entry.name, resolved(entry)]));
}
