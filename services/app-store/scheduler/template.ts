import { posix } from 'node:path';
import { invalid, unprocessable } from '@haic/kit/errors.ts';
import type { VolumeMount, WorkloadSpec } from '@haic/platform/runtime/port.ts';
import { type App, type Manifest, secretsWanted } from '../catalog/client.ts';
import { baseUrlOf, instanceUrl } from './addresses.ts';
import type { LauncherConfig } from './launcher-config.ts';
import { madeFor, madeForAnnotation } from './made-for.ts';
import { annotationsOf, type InstanceIdentity, labelsOf, workloadNameOf } from './model.ts';
import type { RuntimeVersion } from './runtime-versions.ts';
import { instanceKey } from './signature.ts';
import type { TemplateSettings } from './template-settings.ts';

/** What is the same for every instance of this installation. */
export interface AppClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export const configDirectory = '/var/run/haic';
export const configFile = 'instance.json';
export const statusPort = 'status';
export const appPort = 'app';
const resourcesDirectory = '/resources';
const appDirectory = '/app';

/** app.toml and the person's choice, in the runtime's terms. What is secret of it is in `template.secret` and nowhere else; values of the secrets that app.toml names are not even there. */
export function workloadOf(
  app: App,
  instance: InstanceIdentity,
  client: AppClientCredentials,
  settings: TemplateSettings,
): WorkloadSpec {
  const { runtime } = app.manifest;
  return {
    name: workloadNameOf(instance.id),
    labels: labelsOf(instance),
    annotations: { ...annotationsOf(instance), [madeForAnnotation]: madeFor(settings) },
    replicas: 1,
    template: {
      image: settings.launcher.image,
      command: settings.launcher.command,
      env: [
        { name: 'HAIC_PORT_STATUS', portName: statusPort },
        { name: 'HAIC_PORT_APP', portName: appPort },
        { name: 'HAIC_LAUNCHER_CONFIG', value: `${configDirectory}/${configFile}` },
      ],
      secret: { [configFile]: JSON.stringify(launcherConfigOf(app, instance, client, settings)) },
      ports: [
        { name: statusPort },
        runtime.port === undefined ? { name: appPort } : { name: appPort, port: runtime.port },
      ],
      resources: resourcesOf(app.manifest, settings),
      volumes: volumesOf(app.manifest, instance.id),
      readinessProbe: {
        check: { kind: 'http', path: '/ready', port: statusPort },
        periodSeconds: 0.5,
        timeoutSeconds: 2,
        failureThreshold: 3,
      },
      livenessProbe: {
        check: { kind: 'http', path: '/live', port: statusPort },
        initialDelaySeconds: 10,
        periodSeconds: 10,
        timeoutSeconds: 5,
        failureThreshold: 6,
      },
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 20,
    },
  };
}

function resourcesOf({ runtime }: Manifest, settings: TemplateSettings) {
  return {
    memoryLimit: runtime.memoryLimit ?? settings.defaultMemoryLimit,
    ...(runtime.memoryReservation === undefined ? {} : { memoryRequest: runtime.memoryReservation }),
    ...(runtime.cpuLimit === undefined ? {} : { cpuLimit: runtime.cpuLimit }),
    ...(runtime.cpuReservation === undefined ? {} : { cpuRequest: runtime.cpuReservation }),
  };
}

function volumesOf(manifest: Manifest, instanceId: string): VolumeMount[] {
  const { runtime } = manifest;
  const persistent = (claim: string, sizeBytes: number | undefined) =>
    ({ kind: 'persistent', claim, ...(sizeBytes === undefined ? {} : { sizeBytes }) }) as const;
  const volumes: VolumeMount[] = [
    { name: 'app', mountPath: appDirectory, source: { kind: 'ephemeral' } },
    {
      name: 'resources',
      mountPath: resourcesDirectory,
      source:
        runtime.resourceVolumeSize === undefined
          ? { kind: 'ephemeral' }
          : persistent(`${instanceId}-resources`, runtime.resourceVolumeSize),
    },
    {
      name: 'config',
      mountPath: configDirectory,
      readOnly: true,
      source: { kind: 'secret', keys: [configFile] },
    },
  ];
  if (hasSecretFiles(manifest))
    volumes.push({
      name: 'secret-files',
      mountPath: secretFilesDirectory,
      source: { kind: 'memory', sizeBytes: secretFilesBytes },
    });
  if (runtime.volumeMount !== undefined) {
    volumes.push({
      name: 'data',
      mountPath: checkedMountPath(runtime.volumeMount),
      source: persistent(`${instanceId}-data`, runtime.volumeSize),
    });
  }
  if (runtime.sharedMemory)
    volumes.push({
      name: 'shared-memory',
      mountPath: '/dev/shm',
      source: { kind: 'memory', sizeBytes: extendedSharedMemory },
    });
  return [...volumes, ...fileVolumes(manifest)];
}

/** For EnableSHM (wave-app.md §2). */
const extendedSharedMemory = 2 * 1024 ** 3;

/** A [[File]] outside of the app's folder gets a folder of its own there, unless it lies on the data volume (wave-app.md §2). */
function fileVolumes({ files, runtime }: Manifest): VolumeMount[] {
  const isIn = (folder: string, tree: string | undefined) =>
    tree !== undefined && (folder === tree || folder.startsWith(`${tree}/`));
  return files
    .map(({ path }) => posix.dirname(posix.resolve(appDirectory, path)))
    .filter((folder) => !isIn(folder, appDirectory) && !isIn(folder, runtime.volumeMount))
    .map((mountPath, index) => ({
      name: `files-${index + 1}`,
      mountPath: checkedMountPath(mountPath, '[[File]].Path'),
      source: { kind: 'ephemeral' },
    }));
}

/** A volume here would hide the system, the platform's own files or the whole app. `/app/data` is fine, `/app` is not. */
const reservedTrees = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys'],
  ...['/tmp', '/usr', '/var/run', '/opt/haic', resourcesDirectory],
];

export function checkedMountPath(path: string, key = 'Runtime.VolumeMount'): string {
  const refuse = (why: string) => invalid('invalid_volume_mount', `${key} cannot be "${path}": ${why}.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refuse('it contains control characters');
  if (!path.startsWith('/') || posix.normalize(path).replace(/(.)\/$/, '$1') !== path.replace(/(.)\/$/, '$1'))
    throw refuse('it must be a plain absolute path');
  const clean = path.replace(/(.)\/+$/, '$1');
  if (['/', '/home', '/opt', '/var', appDirectory].includes(clean))
    throw refuse('choose a directory of its own, such as /data');
  if (reservedTrees.some((tree) => clean === tree || clean.startsWith(`${tree}/`)))
    throw refuse('that directory belongs to the system');
  return clean;
}

export function launcherConfigOf(
  app: App,
  instance: InstanceIdentity,
  client: AppClientCredentials,
  settings: TemplateSettings,
): LauncherConfig {
  const { manifest } = app;
  if (manifest.runtime.module === undefined)
    throw unprocessable('app_not_runnable', `${manifest.title} names no Python module to run.`);
  const url = instanceUrl(settings.publicUrl, instance.id, instance.routingMode);
  return {
    instanceId: instance.id,
    appId: app.id,
    appName: manifest.name,
    appVersion: manifest.version,
    ownerUsername: instance.owner.username,
    visibility: instance.visibility,
    publicUrl: settings.publicUrl,
    instanceUrl: url,
    baseUrl: baseUrlOf(instance.id, instance.routingMode),
    mode: manifest.runtime.mode,
    module: manifest.runtime.module,
    ...runtimeOf(manifest.runtime.runtimeVersion, settings.runtimeVersions),
    ...literals(manifest),
    secrets: secretsWanted(manifest).length > 0,
    ...(hasSecretFiles(manifest) ? { secretFiles: secretFilesDirectory } : {}),
    ...(manifest.runtime.volumeMount === undefined
      ? {}
      : { volumeMount: checkedMountPath(manifest.runtime.volumeMount) }),
    storeUrl: settings.publicUrl,
    hmacKey: instanceKey(settings.masterKey, instance.id, instance.keySeed).toString('hex'),
    oidc: manifest.runtime.oidc ? oidcOf(url, client, settings) : null,
    platformHandle: instance.visibility === 'PRIVATE',
    ...(settings.installer === undefined ? {} : { installer: settings.installer }),
    network: settings.network,
  };
}

const oidcOf = (url: string, client: AppClientCredentials, settings: TemplateSettings) => ({
  providerUrl: settings.issuer,
  clientId: client.clientId,
  clientSecret: client.clientSecret,
  redirectUrl: redirectUriOf(url),
  endSessionUrl: `${settings.issuer}/protocol/openid-connect/logout`,
  postLogoutRedirectUrl: postLogoutRedirectUriOf(settings.publicUrl),
});

/** waved's own callback, under the app's base URL. */
export const redirectUriOf = (url: string): string => `${url}_auth/callback`;
/** The portal: the instance itself would sign the person in again at once. */
export const postLogoutRedirectUriOf = (publicUrl: string): string => `${publicUrl}/`;

function runtimeOf(
  name: string | undefined,
  versions: readonly RuntimeVersion[],
): Pick<LauncherConfig, 'runtimeVersion' | 'runtime'> {
  const version = versions.find((candidate) =>
    name === undefined ? candidate.default : candidate.name === name || candidate.aliases.includes(name),
  );
  if (version?.unavailable !== undefined) throw unprocessable('python_missing', version.unavailable);
  if (version !== undefined)
    return {
      runtimeVersion: version.python,
      runtime: {
        name: version.name,
        ...(version.constraints === undefined ? {} : { constraints: version.constraints }),
        ...(version.cutOff === undefined ? {} : { cutOff: version.cutOff }),
      },
    };
  throw unprocessable(
    'runtime_version_unknown',
    `The app asks for the runtime version "${name ?? 'default'}", which this installation does not have (any more). It has: ${versions.map((v) => v.name).join(', ') || 'none'}.`,
  );
}

/** Values written in app.toml. Those of secrets are in no specification: whoever may see one would see them. */
function literals({ env, files }: Manifest): Pick<LauncherConfig, 'env' | 'files'> {
  return {
    env: env.flatMap(({ name, from }) => (from.kind === 'literal' ? [{ name, value: from.value }] : [])),
    files: files.flatMap(({ path, from }) => (from.kind === 'literal' ? [{ path, value: from.value }] : [])),
  };
}

const secretFilesDirectory = '/run/haic-secrets';
/** More than all secrets of an app may have together. */
const secretFilesBytes = 64 * 1024 ** 2;

const hasSecretFiles = ({ files }: Manifest): boolean => files.some(({ from }) => from.kind === 'secret');
