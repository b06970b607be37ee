import { spawn } from 'node:child_process';
import { access, open } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { deadline, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { signalProcess } from '@haic/kit/process-identity.ts';
import { haicVersion } from '@haic/kit/version.ts';
import { runsEmbeddedPostgres, startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { hasSchema, refuseNewerDatabase } from '@haic/platform/database/postgres.ts';
import {
  ensureSecrets,
  type Installation,
  type InstallationSecrets,
  prepareHome,
} from '@haic/server/installation.ts';
import { allMigrations } from '@haic/server/migrations.ts';
import { installationOf, readSettings, type ServerSettings } from '@haic/server/settings.ts';
import { ensureUv } from '@haic/services/environments/uv.ts';
import { buildPortal } from '../installation/build.ts';
import { buildId } from '../installation/build-id.ts';
import { usualPostgresPort } from '../installation/database.ts';
import { type ListenerAddress, listenerOf, roleHealth } from '../installation/health.ts';
import { refuseUnusableListener } from '../installation/listener-settings.ts';
import { oneAtATime } from '../installation/one-at-a-time.ts';
import { connectOperator } from '../installation/operator.ts';
import {
  dismissSupervisor,
  liveProcess,
  type RunningInstallation,
  readRecord,
  recordProcess,
  roles,
  stopPlatform,
  writeRecord,
} from '../installation/processes.ts';
import { installPrograms } from '../installation/programs.ts';
import { hurrySignal, supervise } from '../installation/supervisor.ts';
import { CommandError, print, say, step } from '../terminal.ts';
import { failedRequirements } from './doctor.ts';
import { unfinishedRestoreIn } from './restore/blobs.ts';
import { holdsInstallation, settleRestore } from './restore/journal.ts';

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
  await settleCutOffRestore(at, settings);
  const build = await buildId();
  const found = await whatRuns(at, settings, build);
  if (found === 'this') return undefined;

  say('Starting Haic');
  await step('Checking this machine', () => refuseIfUnable(settings));
  await refuseStoreOfUnfinishedRestore(at, settings);
  const secrets = await step('Preparing folders and keys', () => prepare(at, settings));
  const databaseUrl =
    settings.databaseUrl ?? (await step('Starting PostgreSQL', () => startDatabase(at, secrets)));
  // Before anything that runs is touched.
  await step('Checking the database', () => refuseDowngrade(databaseUrl));
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
  const before = await processesNow(at);
  if (found === 'another build') await dismissSupervisor(at.run);
  else await stopPlatform(at.run);
  await writeRecord(at.run, 'installation', runningInstallation(settings));
  const foreground = await step('Starting router, drive and core', () =>
    startProcesses(options, at, listenerOf(settings), processEnvironment),
  );
  try {
    if (found === 'another build')
      await step('Replacing them, one after the other', () => waitUntilReplaced(at, before));
    await step('Waiting until all of them are healthy', () => waitUntilHealthy(at, settings));
    await writeRecord(at.run, 'installation', { ...runningInstallation(settings), build });
    await greet(at, settings);
  } catch (error) {
    await foreground?.stop();
    throw error;
  }
  return foreground;
}

const bundlePrograms = (at: Installation) =>
  installPrograms(at.cache, { sandbox: at.assets, platform: at.programs, cli: at.cliFile });

const runningInstallation = (settings: ServerSettings): RunningInstallation => ({
  publicUrl: settings.publicUrl,
  host: settings.host,
  port: settings.port,
  tls: settings.tlsCertificate !== undefined,
  ...(settings.issuerIsOwn ? {} : { issuer: settings.issuer }),
  startedAt: new Date().toISOString(),
  version: haicVersion,
});

const environmentOf = (settings: ServerSettings): NodeJS.ProcessEnv => ({
  HAIC_HOME: settings.home,
  HAIC_CACHE: settings.cache,
  HAIC_PUBLIC_URL: settings.publicUrl,
  HAIC_HOST: settings.host,
  HAIC_PORT: String(settings.port),
});

/** What was cut off is completed or taken back; where nothing else is in the home, a person has to say what they want. */
async function settleCutOffRestore(at: Installation, settings: ServerSettings): Promise<void> {
  const settled = await settleRestore(at, settings);
  if (settled === 'completed') say('A restore had been cut off while it moved folders; it is complete now.');
  if (settled !== 'undone') return;
  if (await holdsInstallation(at))
    return say('A restore had been cut off before it changed anything; its leftovers are removed.');
  throw new CommandError(
    `A restore into ${at.home} was cut off, so nothing is there yet. Restore once more: ./haic restore FILE. Or begin with an empty Haic: ./haic up`,
  );
}

/** What a Haic would put there could be taken back with the rest. A store that does not answer is told of by those who need it. */
async function refuseStoreOfUnfinishedRestore(at: Installation, settings: ServerSettings): Promise<void> {
  const { blobStore } = settings;
  if (blobStore === undefined) return;
  const signal = deadline(20_000);
  const unfinished = await unfinishedRestoreIn({ ...settings, blobStore }, at, signal).catch(() => undefined);
  if (unfinished !== undefined) throw new CommandError(`${unfinished.found} ${unfinished.remedy}`);
}

type Found = 'nothing' | 'this' | 'another build';

/** Whether the platform runs already, as this very build or as another. This build is waited for and greeted. */
async function whatRuns(at: Installation, settings: ServerSettings, build: string): Promise<Found> {
  const supervisor = await liveProcess(at.run, 'supervisor');
  if (supervisor === undefined) return 'nothing';
  const running = await readRecord<RunningInstallation>(at.run, 'installation');
  if (running === undefined) return 'nothing';
  if (running.publicUrl !== settings.publicUrl || running.port !== settings.port) {
    throw new CommandError(
      `Haic runs already, at ${running.publicUrl}. Its address belongs to sessions and running apps; to change it: ./haic down, then up again.`,
    );
  }
  const issuer = settings.issuerIsOwn ? undefined : settings.issuer;
  if (running.issuer !== issuer)
    throw new CommandError(
      `Haic runs already, and people sign in at ${running.issuer ?? 'Haic itself'}. To change that: ./haic down, then up again.`,
    );
  if (settings.databaseUrl === undefined && !(await runsEmbeddedPostgres(at.postgresData))) {
    // It may come back at another port, which the running processes would not know of; apps are not touched by their restart.
    say('PostgreSQL has ended; the platform is started again with it.');
    return 'nothing';
  }
  if (running.build !== build) {
    const versions =
      running.version === haicVersion ? '' : ` (${running.version ?? 'older'}; this is ${haicVersion})`;
    say(`Haic runs already, in another build${versions}. Its processes are replaced; apps go on.`);
    return 'another build';
  }
  await signalProcess(supervisor, hurrySignal);
  await step('Haic runs already; waiting until it is healthy', () => waitUntilHealthy(at, settings));
  await greet(at, settings);
  return 'this';
}

async function refuseDowngrade(databaseUrl: string): Promise<void> {
  await refuseNewerDatabase(databaseUrl, allMigrations).catch((error: unknown) => {
    throw new CommandError(`Nothing was changed. ${messageOf(error)}`);
  });
}

const processesNow = (at: Installation) =>
  Promise.all(roles.map(async (role) => ({ role, identity: await liveProcess(at.run, role) })));

async function waitUntilReplaced(
  at: Installation,
  before: Awaited<ReturnType<typeof processesNow>>,
): Promise<void> {
  let waitingFor: string = '';
  const replaced = async () => {
    for (const { role, identity } of before) {
      const now = await liveProcess(at.run, role);
      waitingFor = role;
      if (now === undefined || now.startTime === identity?.startTime) return undefined;
    }
    return true;
  };
  await until(replaced, { everyMs: 50, signal: deadline(120_000) }).catch(() => {
    throw new CommandError(
      `${waitingFor} could not be replaced by its new build; apps and what is not replaced yet go on. What the new processes say: ./haic logs`,
    );
  });
}

async function refuseIfUnable(settings: ServerSettings): Promise<void> {
  const failed = await failedRequirements(settings);
  if (failed.length === 0) return;
  const lines = failed.map((check) => `  - ${check.name}: ${check.found}\n    ${check.remedy}`);
  throw new CommandError(`This machine lacks what Haic needs:\n${lines.join('\n')}`);
}

/** Folders with their modes, and the master key: made when there is nothing yet that an earlier one would open. */
export async function prepare(at: Installation, settings: ServerSettings): Promise<InstallationSecrets> {
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
    preferredPort: usualPostgresPort,
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
async function startProcesses(
  options: UpOptions,
  at: Installation,
  listener: ListenerAddress,
  environment: NodeJS.ProcessEnv,
) {
  if (!options.detach) {
    await recordProcess(at.run, 'supervisor', process.pid);
    return supervise({ installation: at, listener, environment, onEvent: say });
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

async function greet(at: Installation, settings: ServerSettings): Promise<void> {
  if (settings.issuerIsOwn) return greetAtOwnIssuer(at, settings);
  say('');
  print(`Haic is ready:  ${settings.publicUrl}`);
  say(`People sign in at ${settings.issuer}; whoever has the role admin there administers Haic.`);
}

/** Makes the first administrator, shows how to get in. */
async function greetAtOwnIssuer(at: Installation, settings: ServerSettings): Promise<void> {
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
    say(`Command line: ${at.cliFile}; for other machines: ${settings.publicUrl}/cli-and-api-access`);
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
