import { spawn } from 'node:child_process';
import { access, open } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { deadline, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { signalProcess } from '@haic/kit/process-identity.ts';
import { runsEmbeddedPostgres, startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { hasSchema } from '@haic/platform/database/postgres.ts';
import { cliFileOf } from '@haic/server/cli-download.ts';
import {
  ensureSecrets,
  type Installation,
  type InstallationSecrets,
  prepareHome,
} from '@haic/server/installation.ts';
import { installationOf, readSettings, type ServerSettings } from '@haic/server/settings.ts';
import { ensureUv } from '@haic/services/environments/uv.ts';
import { buildPortal, buildPrograms } from '../installation/build.ts';
import { buildH2o } from '../installation/build-h2o.ts';
import { listenerOf, roleHealth } from '../installation/health.ts';
import { refuseUnusableListener } from '../installation/listener-settings.ts';
import { oneAtATime } from '../installation/one-at-a-time.ts';
import { connectOperator } from '../installation/operator.ts';
import {
  liveProcess,
  type RunningInstallation,
  readRecord,
  recordProcess,
  roles,
  stopPlatform,
  writeRecord,
} from '../installation/processes.ts';
import { hurrySignal, supervise } from '../installation/supervisor.ts';
import { CommandError, print, say, step } from '../terminal.ts';
import { failedRequirements } from './doctor.ts';

export interface UpOptions {
  readonly detach: boolean;
}

/** Brings Haic up, one step after the other. Every step may be repeated: a second `up` finds what the first one made. */
export async function up(options: UpOptions, environment: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(environment);
  const at = installationOf(settings);
  await refuseUnusableListener(settings);
  const foreground = await oneAtATime(at, () => start(options, settings, at, environment));
  if (foreground !== undefined) await stayUntilInterrupted(foreground);
}

/** Returns what supervises in this process, if it does. */
async function start(
  options: UpOptions,
  settings: ServerSettings,
  at: Installation,
  environment: NodeJS.ProcessEnv,
): Promise<{ stop(): Promise<void> } | undefined> {
  if (await reportIfRunning(at, settings)) return undefined;

  say('Starting Haic');
  await step('Checking this machine', () => refuseIfUnable(settings));
  const secrets = await step('Preparing folders and keys', () => prepare(at, settings));
  const databaseUrl =
    settings.databaseUrl ?? (await step('Starting PostgreSQL', () => startDatabase(at, secrets)));
  const portal = await step('Building the portal', () => buildPortal(at.cache));
  await step('Bundling programs', () => bundlePrograms(at));
  const uv = await step('Preparing the Python installer', () => findUv(settings));

  const processEnvironment = {
    ...environment,
    ...environmentOf(settings),
    HAIC_DATABASE_URL: databaseUrl,
    HAIC_PORTAL_DIR: portal,
    HAIC_UV: uv,
  };
  await stopPlatform(at.run);
  await writeRecord(at.run, 'installation', runningInstallation(settings));
  const foreground = await step('Starting router, drive and core', () =>
    startProcesses(options, at, processEnvironment),
  );
  try {
    await step('Waiting until all of them are healthy', () => waitUntilHealthy(at, settings));
    await greet(at, settings);
  } catch (error) {
    await foreground?.stop();
    throw error;
  }
  return foreground;
}

const bundlePrograms = (at: Installation) =>
  Promise.all([buildPrograms({ sandbox: at.assets, platform: at.programs }), buildH2o(cliFileOf(at))]);

const runningInstallation = (settings: ServerSettings): RunningInstallation => ({
  publicUrl: settings.publicUrl,
  host: settings.host,
  port: settings.port,
  tls: settings.tlsCertificate !== undefined,
  startedAt: new Date().toISOString(),
});

const environmentOf = (settings: ServerSettings): NodeJS.ProcessEnv => ({
  HAIC_HOME: settings.home,
  HAIC_CACHE: settings.cache,
  HAIC_PUBLIC_URL: settings.publicUrl,
  HAIC_HOST: settings.host,
  HAIC_PORT: String(settings.port),
});

async function reportIfRunning(at: Installation, settings: ServerSettings): Promise<boolean> {
  const supervisor = await liveProcess(at.run, 'supervisor');
  if (supervisor === undefined) return false;
  const running = await readRecord<RunningInstallation>(at.run, 'installation');
  if (running === undefined) return false;
  if (running.publicUrl !== settings.publicUrl || running.port !== settings.port) {
    throw new CommandError(
      `Haic runs already, at ${running.publicUrl}. Its address belongs to sessions and running apps; to change it: ./haic down, then up again.`,
    );
  }
  if (settings.databaseUrl === undefined && !(await runsEmbeddedPostgres(at.postgresData))) {
    // It may come back at another port, which the running processes would not know of; apps are not touched by their restart.
    say('PostgreSQL has ended; the platform is started again with it.');
    return false;
  }
  await signalProcess(supervisor, hurrySignal);
  await step('Haic runs already; waiting until it is healthy', () => waitUntilHealthy(at, settings));
  await greet(at, settings);
  return true;
}

async function refuseIfUnable(settings: ServerSettings): Promise<void> {
  const failed = await failedRequirements(settings);
  if (failed.length === 0) return;
  const lines = failed.map((check) => `  - ${check.name}: ${check.found}\n    ${check.remedy}`);
  throw new CommandError(`This machine lacks what Haic needs:\n${lines.join('\n')}`);
}

async function prepare(at: Installation, settings: ServerSettings): Promise<InstallationSecrets> {
  await prepareHome(at);
  return ensureSecrets(at, async () => !(await hasData(at, settings)));
}

/** Whether there is anything that only an earlier master key opens. */
async function hasData(at: Installation, settings: ServerSettings): Promise<boolean> {
  if (settings.databaseUrl !== undefined) return hasSchema(settings.databaseUrl, 'identity');
  return access(path.join(at.postgresData, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

async function startDatabase(at: Installation, secrets: InstallationSecrets): Promise<string> {
  const server = await startEmbeddedPostgres({
    cacheDirectory: at.cache,
    dataDirectory: at.postgresData,
    logFile: path.join(at.logs, 'postgres.log'),
    password: secrets.postgresPassword,
    preferredPort: 54_320,
    signal: deadline(180_000),
  });
  return server.url;
}

const findUv = async (settings: ServerSettings): Promise<string> => {
  if (settings.uvPath !== undefined) return settings.uvPath;
  const { path: uv } = await ensureUv({
    cacheDirectory: settings.cache,
    network: {
      ...(settings.pythonIndex === undefined ? {} : { pypiIndex: settings.pythonIndex }),
      ...(settings.httpProxy === undefined ? {} : { httpProxy: settings.httpProxy }),
      ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
    },
    signal: deadline(300_000),
  });
  return uv;
};

/** In the foreground this process supervises; detached, one that outlives the command. */
async function startProcesses(options: UpOptions, at: Installation, environment: NodeJS.ProcessEnv) {
  if (!options.detach) {
    await recordProcess(at.run, 'supervisor', process.pid);
    return supervise({ installation: at, environment, onEvent: say });
  }
  const log = await open(path.join(at.logs, 'supervisor.log'), 'a', 0o600);
  const entry = path.join(at.programs, 'supervisor.mjs');
  const child = spawn(process.execPath, [entry], {
    env: environment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  await log.close();
  await until(async () => ((await liveProcess(at.run, 'supervisor')) === undefined ? undefined : true), {
    everyMs: 50,
    signal: deadline(15_000),
  });
  return undefined;
}

async function waitUntilHealthy(at: Installation, settings: ServerSettings): Promise<void> {
  let waitingFor = '';
  const check = async () => {
    for (const role of roles) {
      const health = await roleHealth(role, at, listenerOf(settings));
      if (health.healthy) continue;
      waitingFor = `${role} (${health.message})`;
      return undefined;
    }
    return true;
  };
  await until(check, { everyMs: 100, signal: deadline(90_000) }).catch((error: unknown) => {
    const role = waitingFor.split(' ')[0];
    throw new CommandError(
      `${waitingFor} did not become healthy: ${messageOf(error)}. What it said: ./haic logs ${role}`,
    );
  });
}

/** Makes the first administrator, shows how to get in. */
async function greet(at: Installation, settings: ServerSettings): Promise<void> {
  const operator = await connectOperator(at);
  try {
    const { items } = await operator.call<{ items: readonly unknown[] }>('GET', '/internal/identity/users');
    const created =
      items.length > 0
        ? undefined
        : await operator.call<{ password: string }>('POST', '/internal/identity/users', {
            username: 'admin',
            name: 'Administrator',
            roles: ['admin', 'user'],
          });
    say('');
    print(`Haic is ready:  ${settings.publicUrl}`);
    if (created !== undefined) {
      print(`Sign in as:     admin`);
      print(`Password:       ${created.password}   (shown once)`);
    } else {
      say(
        'Sign in with your account. A lost administrator password is replaced by: ./haic user passwd admin',
      );
    }
    say(`Command line: ${cliFileOf(at)}; for other machines: ${settings.publicUrl}/cli-and-api-access`);
    say('Next: ./haic status, ./haic user add NAME, ./haic bundle samples/hello');
  } finally {
    await operator.close();
  }
}

async function stayUntilInterrupted(supervised: { stop(): Promise<void> }): Promise<void> {
  say('Ctrl-C stops the platform; running apps go on until ./haic down.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  say('Stopping the platform …');
  await supervised.stop();
}
