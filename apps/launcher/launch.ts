import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { withOwnAuthorities } from './certificates.ts';
import type { Child } from './child-process.ts';
import { parseLauncherConfig } from './config.ts';
import { siteEnvironment } from './environment.ts';
import { LaunchFailure } from './failure.ts';
import { fetchBundle } from './fetch-bundle.ts';
import { type FilePlaces, writeInstanceFiles, writeSecretFiles } from './instance-files.ts';
import type { InstanceLog } from './instance-log.ts';
import { waitForIssuer } from './issuer.ts';
import { installOsPackages } from './os-packages.ts';
import { reachInstaller } from './own-installer.ts';
import { type LauncherPaths, launcherPaths } from './paths.ts';
import { forgetPreviousFailure } from './previous-failure.ts';
import { type ProcessContext, processFailure, startApp, startWaved } from './processes.ts';
import { askForWaved, preparePython } from './python-environment.ts';
import type { PythonSetup } from './python-setup.ts';
import { fetchSecrets } from './secret-values.ts';
import type { LauncherSettings } from './settings.ts';
import type { LaunchStatus } from './status.ts';
import { connectStore, type StoreClient } from './store.ts';
import { startTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';

/** What was started and has to end with the launcher. */
export interface Owned {
  waved: Child | undefined;
  app: Child | undefined;
  tokenEndpoint: TokenEndpoint | undefined;
}

export interface Launch {
  readonly settings: LauncherSettings;
  readonly inherited: NodeJS.ProcessEnv;
  readonly log: InstanceLog;
  readonly status: LaunchStatus;
  readonly owned: Owned;
  /** Called once, when it is known which app this is. */
  readonly onConfig: (config: LauncherConfig) => void;
  readonly signal: AbortSignal;
}

interface Instance extends Launch {
  readonly config: LauncherConfig;
  readonly paths: LauncherPaths;
  readonly store: StoreClient;
}

/**
 * The life of an instance (contract wave-app §3), in order. Never returns: it throws LaunchFailure when something of it fails or
 * ends, and the signal's reason when the instance is asked to stop.
 */
export async function launch(options: Launch): Promise<never> {
  const config = await withOwnAuthorities(
    await readConfiguration(options),
    launcherPaths(options.settings.root),
  );
  const instance = {
    ...options,
    config,
    paths: launcherPaths(options.settings.root),
    store: connectStore(config),
  };
  const { publishedOn, env } = await bringBundle(instance);
  options.status.enter('installing');
  const installed = await install(instance, publishedOn);
  options.status.enter('starting');
  await awaitIssuer(instance);
  return superviseProcesses({ ...instance, config: { ...config, env: [...config.env, ...env] } }, installed);
}

async function readConfiguration({ settings, log, onConfig }: Launch): Promise<LauncherConfig> {
  const text = await readFile(settings.configFile, 'utf8').catch((error: unknown) => {
    throw new LaunchFailure(`The configuration of this instance cannot be read: ${messageOf(error)}`);
  });
  let config: LauncherConfig;
  try {
    config = parseLauncherConfig(text);
  } catch (error) {
    throw new LaunchFailure(messageOf(error), [], error);
  }
  log.mask(config.hmacKey);
  if (config.oidc !== null) log.mask(config.oidc.clientSecret);
  onConfig(config);
  log.line('launcher', `${config.appName} ${config.appVersion}, instance ${config.instanceId}`);
  return config;
}

/** The bundle, and beside it what app.toml has written into files. Returns what the app gets of secrets in its environment. */
async function bringBundle({ config, paths, store, settings, log, status, signal }: Instance) {
  for (const folder of [paths.home, paths.waved, paths.notes, paths.temporary])
    await mkdir(folder, { recursive: true });
  const dataVolume =
    config.volumeMount === undefined
      ? undefined
      : path.join(settings.root === '' ? '/' : settings.root, config.volumeMount);
  const timeoutSeconds = settings.downloadTimeout;
  const say = (message: string) => status.say(message);
  const bundle = await fetchBundle({ store, paths, dataVolume, timeoutSeconds, log, say, signal });
  const secrets = await fetchSecrets({ config, store, timeoutSeconds, log, say, signal });
  const places: FilePlaces = {
    app: paths.app,
    root: settings.root,
    // Without a sandbox there is no memory of one's own.
    secrets: settings.root === '' ? config.secretFiles : undefined,
    reserved: [paths.resources, paths.temporary],
  };
  await writeInstanceFiles(places, config.files);
  await writeSecretFiles(places, secrets.files);
  return { ...bundle, env: secrets.env };
}

async function install(instance: Instance, publishedOn: string) {
  const { config, paths, settings, log, status, signal } = instance;
  const site = siteEnvironment(config, instance.inherited);
  const installer = await reachInstaller({ config, settings, paths, site, log, signal });
  const setup: PythonSetup = {
    installer: installer.client,
    paths,
    mode: config.mode,
    module: config.module,
    appId: config.appId,
    runtimeVersion: config.runtimeVersion,
    runtime: config.runtime,
    publishedOn,
    uv: settings.uv,
    site,
    log,
    say: (message) => status.say(message),
    patience: { deadlineMs: 15 * 60_000, firstPauseMs: 250, longestPauseMs: 5_000 },
    signal,
  };
  try {
    const packages = await installOsPackages({ paths, site, log, signal });
    await preparePython(setup);
    const waved = config.mode === 'wave' ? await askForWaved(setup) : undefined;
    return { site, packages, waved };
  } finally {
    await installer.end();
  }
}

async function awaitIssuer({ config, log, status, signal }: Instance): Promise<void> {
  if (config.oidc === null) return;
  let last = '';
  await waitForIssuer({
    providerUrl: config.oidc.providerUrl,
    caFile: config.network.caFile,
    onWaiting: (message) => {
      if (message !== last) log.line('launcher', message);
      last = message;
      status.say(message);
    },
    signal,
  });
  status.say('');
}

async function superviseProcesses(
  instance: Instance,
  installed: Awaited<ReturnType<typeof install>>,
): Promise<never> {
  const { config, paths, store, log, status, owned, signal, settings } = instance;
  const context: ProcessContext = {
    config,
    paths,
    site: installed.site,
    log,
    say: (message) => status.say(message),
    signal,
    listen: settings.listen,
    own: (kind, child) => {
      owned[kind] = child;
    },
  };
  if (config.platformHandle) owned.tokenEndpoint = await startTokenEndpoint(store, log);
  const waved =
    installed.waved === undefined ? undefined : await startWaved(context, installed.waved, settings.portApp);
  const app = await startApp(context, {
    ...installed.packages,
    waved,
    portApp: settings.portApp,
    token: owned.tokenEndpoint,
  });
  status.enter('ready');
  log.line('launcher', `Ready: ${config.instanceUrl}`);
  await forgetPreviousFailure(paths.notes);
  throw await firstEnd(context, app, waved?.child);
}

/** Either one's end is the instance's end: neither waved nor the app can do without the other, nor find it again. */
async function firstEnd(context: ProcessContext, app: Child, waved: Child | undefined): Promise<unknown> {
  const { signal } = context;
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped');
    signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const ends = [app.ended.then((end) => ({ kind: 'app' as const, end }))];
  const all =
    waved === undefined ? ends : [...ends, waved.ended.then((end) => ({ kind: 'waved' as const, end }))];
  const first = await Promise.race([stopped, ...all]);
  return first === 'stopped' ? signal.reason : processFailure(context, first.kind, first.end);
}
