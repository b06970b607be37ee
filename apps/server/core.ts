import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import type { IdempotencyStore } from '@haic/kit/http/idempotency/port.ts';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { haicVersion } from '@haic/kit/version.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import {
  createPostgresIdempotencyStore,
  idempotencyMigrations,
} from '@haic/platform/database/idempotency/store.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { type Catalog, catalogMigrations, createCatalog } from '@haic/services/app-store/catalog/catalog.ts';
import { createScheduler, type Scheduler } from '@haic/services/app-store/scheduler/scheduler.ts';
import { createDiscovery } from '@haic/services/discovery/discovery.ts';
import { connectInstaller } from '@haic/services/environments/client.ts';
import { identityMigrations } from '@haic/services/identity/identity.ts';
import { describeHaic, rateLimitsOf } from './api.ts';
import { cliFileOf, registerCliDownload } from './cli-download.ts';
import { composeIdentity } from './identity.ts';
import { type Installation, readSecrets } from './installation.ts';
import { ensureInstaller } from './installer.ts';
import { watchInstaller } from './installer-watchdog.ts';
import { registerOperatorRoutes } from './operator-routes.ts';
import { registerPortal } from './portal.ts';
import { createRuntime, type WorkloadPaths, workloadPaths } from './runtime.ts';
import { runtimeVersionsOf } from './runtime-versions.ts';
import type { RunningRole } from './serve.ts';
import { requireDatabaseUrl, type ServerSettings } from './settings.ts';
import { tokenVerifierOf } from './token-verifier.ts';
import { writeTrustBundle } from './trust.ts';

/** Identity, discovery, catalog and scheduler in one process, on a Unix socket that only the owner of the installation opens. */
export async function startCore(options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
}): Promise<RunningRole> {
  const { settings, installation: at, logger } = options;
  const { publicUrl, issuer } = settings;
  const secrets = await readSecrets(at);
  const database = connectPostgres({ url: requireDatabaseUrl(settings), applicationName: 'haic-core' });
  for (const migrations of [identityMigrations, catalogMigrations, idempotencyMigrations])
    await migrate(database, migrations);

  const ownSocket = fetchOverSocket(at.coreSocket);
  const verifyToken = tokenVerifierOf(settings, ownSocket);
  const idempotency = createPostgresIdempotencyStore(database);
  const server = createHttpServer({
    logger,
    verifyToken,
    checkAnswers: settings.checkAnswers,
    rateLimits: rateLimitsOf(settings),
    idempotency,
  });
  await describeHaic(server, haicVersion, publicUrl);

  // Identity and the catalog tell the scheduler things, and it asks them: one of them has to be named first.
  let scheduler: Scheduler | undefined;
  const identity = await composeIdentity({
    settings,
    secrets,
    database,
    logger,
    whenPersonEnds: async (subject) => scheduler?.whenPersonEnds(subject),
  });
  const trustBundle = await writeTrustBundle(at, settings.caFile);
  const runtime = await createRuntime(at, settings, logger);
  const paths = workloadPaths(at, runtime.isolated);
  await ensureInstaller(runtime, settings, at, paths, trustBundle !== undefined);
  const installer = connectInstaller(path.join(at.installer, path.basename(paths.installerSocket)));
  const installerWatchdog = watchInstaller({ runtime, installer, logger });
  const runtimeVersions = await runtimeVersionsOf(settings.runtimeVersions);

  const catalog = await createCatalog({
    database,
    blobs: await createFilesystemBlobStore({ directory: at.blobs }),
    temporaryDirectory: at.uploads,
    instancesOf: async (appId) => (await scheduler?.instancesOf(appId)) ?? 0,
    identity: identity.client,
    whenAppIsHandedOver: async (appId, owner) => scheduler?.whenAppIsHandedOver(appId, owner),
    runtimeVersions,
    requireRuntimeVersion: settings.requireRuntimeVersion,
    downloads: settings.appDownloads,
    versionLimit: settings.appVersionLimit,
    logger,
  });
  scheduler = createScheduler({
    runtime,
    catalog: catalog.client,
    identity: identity.client,
    masterKey: secrets.masterKey,
    publicUrl,
    issuer,
    launcher: { image: 'app-runtime', command: [paths.node, `${paths.assets}/launcher.mjs`] },
    installer: { socket: paths.installerSocket },
    network: networkOf(settings, paths, trustBundle !== undefined),
    runtimeVersions,
    limits: { fullAccess: settings.instanceLimit, visitor: settings.visitorInstanceLimit },
    suspendAfter: settings.suspendAfterHours === 0 ? 'never' : settings.suspendAfterHours * 3600,
    logger,
  });

  await scheduler.readdress();
  runtime.begin();

  server.get('/healthz', { config: { public: 'health' } }, async () => {
    await database.sql`select 1`;
    return { status: 'ok' };
  });
  identity.register(server);
  createDiscovery({ publicUrl, issuerUrl: issuer, version: haicVersion }).register(server);
  catalog.register(server);
  scheduler.register(server);
  registerOperatorRoutes(server, runtime);
  await registerCliDownload(server, cliFileOf(at));
  if (settings.portalDirectory !== undefined) await registerPortal(server, settings.portalDirectory);

  await rm(at.coreSocket, { force: true });
  await server.listen({ path: at.coreSocket });
  await chmod(at.coreSocket, 0o600);
  const sweep = sweepDaily(catalog, idempotency, logger);
  const checks = checkRegularly(catalog, settings.preconditionMinutes, logger);
  return {
    stop: async () => {
      clearInterval(sweep);
      checks.stop();
      scheduler.stop();
      installerWatchdog.stop();
      await server.close();
      await runtime.stop();
      await identity.stop();
      await ownSocket.close();
      await database.close();
    },
  };
}

/** Collects what nobody needs any more, and what a killed import or deletion left behind: at the start and once a day. */
function sweepDaily(catalog: Catalog, idempotency: IdempotencyStore, logger: Logger): NodeJS.Timeout {
  const sweep = () => {
    catalog
      .sweep()
      .catch((error: unknown) => logger.warn({ err: error }, 'Orphaned blobs could not be swept.'));
    idempotency
      .sweep()
      .catch((error: unknown) => logger.warn({ err: error }, 'Kept answers could not be swept.'));
  };
  sweep();
  return setInterval(sweep, 24 * 60 * 60 * 1000);
}

/** Whether apps can still run, at the start and then regularly. */
function checkRegularly(catalog: Catalog, minutes: number, logger: Logger): { stop(): void } {
  const stopping = new AbortController();
  const check = () => {
    catalog.checkPreconditions(stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) logger.warn({ err: error }, 'Apps could not be checked.');
    });
  };
  check();
  const timer = minutes === 0 ? undefined : setInterval(check, minutes * 60_000);
  return {
    stop: () => {
      clearInterval(timer);
      stopping.abort(new Error('Haic is stopping.'));
    },
  };
}

const networkOf = (settings: ServerSettings, paths: WorkloadPaths, hasTrustBundle: boolean) => ({
  ...(settings.pythonIndex === undefined ? {} : { pypiIndex: settings.pythonIndex }),
  ...(settings.httpProxy === undefined ? {} : { httpProxy: settings.httpProxy }),
  ...(hasTrustBundle ? { caFile: paths.trustBundle } : {}),
});
