import { quote } from '../bundle/problems.ts';
import type { ManifestRuntime } from '../client.ts';
import { parseQuantity } from './quantity.ts';
import { systemFolderOf } from './system-folders.ts';
import type { Table } from './table.ts';

/** A Python environment that the installation offers; `RuntimeVersion` of app.toml names it or one of its aliases. */
export interface RuntimeVersion {
  readonly name: string;
  readonly aliases: readonly string[];
  /** For bundles that name none. */
  readonly default?: boolean;
  /** Refuses new apps. */
  readonly deprecated?: boolean;
  /** `3.11` */
  readonly python?: string;
  /** Why nothing can run on it here just now, in plain words. */
  readonly unavailable?: string | undefined;
}

/** By name or alias; without one, the default. */
export const runtimeVersionOf = (
  asked: string | undefined,
  versions: readonly RuntimeVersion[],
): RuntimeVersion | undefined =>
  asked === undefined
    ? (versions.find((version) => version.default) ?? versions.find((version) => version.deprecated !== true))
    : versions.find((version) => version.name === asked || version.aliases.includes(asked));

const modes = ['wave', 'python', 'container'] as const;
const routingModes = ['DOMAIN', 'BASE_URL'] as const;
/** Each part a Python identifier: it goes behind `python -m`, so that no option (`-c`) may pass for one. */
const moduleName = /^[\p{XIDS}_][\p{XIDC}]*(\.[\p{XIDS}_][\p{XIDC}]*)*$/u;

/** A LINK app runs nothing. */
export const emptyRuntime: ManifestRuntime = {
  module: undefined,
  runtimeVersion: undefined,
  mode: 'wave',
  routingMode: 'DOMAIN',
  port: undefined,
  oidc: false,
  sharedMemory: false,
  volumeMount: undefined,
  volumeSize: undefined,
  resourceVolumeSize: undefined,
  memoryLimit: undefined,
  memoryReservation: undefined,
  cpuLimit: undefined,
  cpuReservation: undefined,
};

export function readRuntime(
  table: Table,
  rules: { readonly runtimeVersions: readonly RuntimeVersion[]; readonly requireRuntimeVersion?: boolean },
): ManifestRuntime {
  const mode = table.oneOf('AppMode', modes, 'wave');
  refuseWhatIsNotProvided(table, mode);
  const runtime: ManifestRuntime = {
    module: mode === 'container' ? undefined : readModule(table),
    runtimeVersion: readRuntimeVersion(table, rules),
    mode: mode === 'python' ? 'python' : 'wave',
    routingMode: table.oneOf('RoutingMode', routingModes, 'DOMAIN'),
    port: mode === 'python' ? readPort(table) : undefined,
    oidc: table.boolean('EnableOIDC'),
    sharedMemory: table.boolean('EnableSHM'),
    volumeMount: readVolumeMount(table),
    volumeSize: readBytes(table, 'VolumeSize'),
    resourceVolumeSize: readBytes(table, 'ResourceVolumeSize'),
    memoryLimit: readBytes(table, 'MemoryLimit'),
    memoryReservation: readBytes(table, 'MemoryReservation'),
    cpuLimit: readCores(table, 'CPULimit'),
    cpuReservation: readCores(table, 'CPUReservation'),
  };
  checkReservation(table, 'MemoryReservation', runtime.memoryReservation, 'MemoryLimit', runtime.memoryLimit);
  checkReservation(table, 'CPUReservation', runtime.cpuReservation, 'CPULimit', runtime.cpuLimit);
  if (table.has('VolumeSize') && !table.has('VolumeMount'))
    table.problem(
      'VolumeSize',
      'There is no VolumeMount.',
      'Say where the volume is to be: VolumeMount = "/data".',
    );
  return runtime;
}

function refuseWhatIsNotProvided(table: Table, mode: (typeof modes)[number]): void {
  const notProvided = "It is not provided by this installation's runtime.";
  if (mode === 'container') table.problem('AppMode', notProvided, 'Use AppMode = "wave" or "python".');
  for (const key of ['CustomImage', 'AppArgs', 'AppEntryPoint'])
    if (table.has(key) && table.raw(key) !== '')
      table.problem(key, notProvided, 'Remove it; containers need a runtime with images.');
  const gpus = table.integer('GPUCount');
  if (gpus !== undefined && gpus < 0) table.problem('GPUCount', `${gpus} is less than 0.`, 'Remove it.');
  else if (gpus !== undefined && gpus > 0)
    table.problem('GPUCount', notProvided, 'Remove it: there are no GPUs.');
  if (table.line('GPUType', 200) !== undefined)
    table.problem('GPUType', notProvided, 'Remove it: there are no GPUs.');
}

function readModule(table: Table): string | undefined {
  const module = table.line('Module', 300);
  if (module === undefined) {
    if (!table.has('Module') || table.raw('Module') === '')
      table.problem(
        'Module',
        'It is missing.',
        'Name the Python module of the app, e.g. Module = "src.app".',
      );
  } else if (!moduleName.test(module))
    table.problem(
      'Module',
      `${quote(module)} is not a Python module.`,
      'Write it dotted and without .py, e.g. "src.app".',
    );
  return module;
}

function readRuntimeVersion(
  table: Table,
  rules: { readonly runtimeVersions: readonly RuntimeVersion[]; readonly requireRuntimeVersion?: boolean },
): string | undefined {
  const asked = table.line('RuntimeVersion', 200);
  const versions = rules.runtimeVersions;
  const usable = versions.filter((version) => version.deprecated !== true);
  const known = usable.flatMap((version) => [version.name, ...version.aliases]).join(', ');
  const found = runtimeVersionOf(asked, versions);
  if (asked === undefined && rules.requireRuntimeVersion === true)
    table.problem(
      'RuntimeVersion',
      'It is missing, and this installation asks for it.',
      `Use one of: ${known}.`,
    );
  else if (found === undefined)
    table.problem(
      'RuntimeVersion',
      `${quote(asked ?? '')} is not known here.`,
      `Leave it out, or use one of: ${known}.`,
    );
  else if (found.unavailable !== undefined)
    table.problem('RuntimeVersion', found.unavailable, 'Use another one, or ask an administrator.');
  else if (asked !== undefined && found.deprecated)
    table.problem(
      'RuntimeVersion',
      `${quote(asked)} is deprecated; it takes no new apps.`,
      `Use one of: ${known}.`,
    );
  return found?.name;
}

function readPort(table: Table): number | undefined {
  const port = table.integer('Port');
  if (port !== undefined && (port < 1024 || port > 65535))
    table.problem('Port', `${port} is not a port that an app may use.`, 'Use one from 1024 to 65535.');
  return port;
}

function readVolumeMount(table: Table): string | undefined {
  const path = table.line('VolumeMount', 300);
  if (path === undefined) return undefined;
  const remedy = 'Use a folder of its own, e.g. VolumeMount = "/data".';
  const normal = path.replace(/\/+$/, '');
  if (
    !/^(\/[A-Za-z0-9._+-]+)+$/.test(normal) ||
    normal.split('/').some((part) => part === '.' || part === '..')
  ) {
    table.problem('VolumeMount', `${quote(path)} is not an absolute path of a folder.`, remedy);
    return undefined;
  }
  const folder = systemFolderOf(normal) ?? (/^\/app(\/|$)/.test(normal) ? '/app' : undefined);
  if (folder !== undefined)
    table.problem('VolumeMount', `${quote(path)} is in ${folder}, which the platform needs itself.`, remedy);
  return normal;
}

/** Numbers are taken too; TOML writers leave the quotes out. */
function readQuantity(table: Table, key: string): number | undefined {
  const text = table.text(key);
  if (text === undefined || text === '') return undefined;
  const value = parseQuantity(text);
  if (value === undefined)
    table.problem(key, `${quote(text)} is not a quantity.`, 'Write e.g. "500Mi", "2Gi", "1.5" or "500m".');
  return value;
}

const mebibyte = 2 ** 20;

function readBytes(table: Table, key: string): number | undefined {
  const value = readQuantity(table, key);
  if (value === undefined) return undefined;
  if (value < mebibyte) table.problem(key, 'It is less than 1Mi.', 'Write megabytes as Mi, e.g. "500Mi".');
  else if (value > 2 ** 50) table.problem(key, 'It is more than 1Pi.', 'Write e.g. "2Gi".');
  else return Math.ceil(value);
  return undefined;
}

function readCores(table: Table, key: string): number | undefined {
  const value = readQuantity(table, key);
  if (value === undefined) return undefined;
  const thousandths = Math.ceil(value * 1000 - 1e-6);
  if (thousandths < 1 || thousandths > 1_000_000) {
    table.problem(key, 'It is not between 1m and 1000 cores.', 'Write e.g. "1.5" or "500m".');
    return undefined;
  }
  return thousandths;
}

function checkReservation(
  table: Table,
  key: string,
  reserved: number | undefined,
  limitKey: string,
  limit: number | undefined,
) {
  if (reserved !== undefined && limit !== undefined && reserved > limit)
    table.problem(key, `It is more than ${limitKey}.`, `Make it at most ${limitKey}.`);
}
