import { chmod, rm } from 'node:fs/promises';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import { createRateLimiter } from '@haic/kit/http/rate-limit.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { Tracer } from '@haic/kit/telemetry/tracer.ts';
import { haicVersion } from '@haic/kit/version.ts';
import { createPostgresIdempotencyStore } from '@haic/platform/database/idempotency/store.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { createDiscovery } from '@haic/services/discovery/discovery.ts';
import type { WhenPersonEnds } from '@haic/services/identity/client.ts';
import { createSecretsOfApps } from '@haic/services/secrets/app-secrets/app-secrets.ts';
import { createWorkspaces } from '@haic/services/workspaces/workspaces.ts';
import { describeHaic, rateLimitsOf } from './api.ts';
import { type AppStore, composeAppStore } from './app-store.ts';
import { composeAudit } from './audit.ts';
import { listenForRoles } from './channels.ts';
import { registerCliDownload } from './cli-download.ts';
import { composeIdentity } from './identity.ts';
import { type Installation, prepareCoreFolders, readSecrets } from './installation.ts';
import { coreMigrations } from './migrations.ts';
import { composeOcean } from './ocean.ts';
import { measureDatabase, measureOutbox, measureWorkloads } from './operations.ts';
import { registerOperatorRoutes } from './operator-routes.ts';
import { registerPortal } from './portal.ts';
import { checkRegularly, sweepDaily } from './regular-work.ts';
import { composeSecrets, isGoneAccordingTo } from './secrets.ts';
import type { RunningRole } from './serve.ts';
import { driveRecords, serviceAddresses } from './service-addresses.ts';
import { createServiceHost } from './service-host.ts';
import { requireDatabaseUrl, type ServerSettings } from './settings.ts';
import { tokenVerifierOf } from './token-verifier.ts';

/**
 * Identity, discovery, catalog and scheduler in one process, on a Unix socket that only the owner of the installation opens, and for the other
 * roles where they are elsewhere on a channel that only they can open.
 */
export async function startCore(options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
  meter: Meter | undefined;
  tracer: Tracer | undefined;
  isEnding: () => boolean;
}): Promise<RunningRole> {
  const { settings, installation: at, logger, meter, tracer, isEnding } = options;
  const { publicUrl, issuer } = settings;
  await prepareCoreFolders(at);
  const secrets = await readSecrets(at);
  const database = connectPostgres({
    url: requireDatabaseUrl(settings),
    applicationName: 'haic-core',
    statements: { logger, slowMs: settings.slowStatementMs },
  });
  for (const migrations of coreMigrations) await migrate(database, migrations);

  const audit = composeAudit({
    ...{ settings, installation: at, masterKey: secrets.masterKey, database, logger },
  });
  const ownSocket = fetchOverSocket(at.coreSocket);
  const verifyToken = tokenVerifierOf(settings, ownSocket);
  const idempotency = createPostgresIdempotencyStore(database);
  const rateLimiter = createRateLimiter(rateLimitsOf(settings));
  const server = createHttpServer({
    logger,
    verifyToken,
    checkAnswers: settings.checkAnswers,
    rateLimiter,
    idempotency,
    audit: audit.outbox,
    meter,
    tracer,
    isEnding,
  });
  await describeHaic(server, haicVersion, publicUrl);
  const services = createServiceHost({
    ...{ server, verifyToken, settings, audit: audit.outbox, rateLimiter, logger },
  });

  // Identity and the secrets of apps come before those who ask them, whom they tell and ask in turn.
  const whenPersonEnds: WhenPersonEnds[] = [];
  let appStore: AppStore | undefined;
  const identity = await composeIdentity({
    settings,
    secrets,
    database,
    logger,
    audit: audit.outbox,
    whenPersonEnds: async (subject, username) => {
      await Promise.all(whenPersonEnds.map((hear) => hear(subject, username)));
    },
    actsForOwner: async (instanceId, subject) =>
      (await appStore?.scheduler.actsForOwner(instanceId, subject)) === true,
  });
  const workspaces = await createWorkspaces({
    ...{ database, directory: identity.directory, audit: audit.outbox, logger },
  });
  const trail = audit.begin({ identity: identity.client, workspaces: workspaces.client });
  const secureStore = composeSecrets({
    ...{ settings, installation: at, secrets, database, logger },
    ...{ workspaces: workspaces.client, audit: audit.outbox },
    ...{ publicUrl, verifyToken, identity: identity.client },
    isGone: isGoneAccordingTo(identity.client),
  });
  whenPersonEnds.push(secureStore.whenPersonEnds);
  workspaces.holds(secureStore.contents);
  const secretsOfApps = createSecretsOfApps({
    store: secureStore.client,
    ...{ workspaces: workspaces.client, identity: identity.client, logger },
    catalog: () => {
      if (appStore === undefined) throw new Error('The catalog was asked before it was composed.');
      return appStore.catalog.client;
    },
  });
  appStore = await composeAppStore({
    ...{ settings, installation: at, masterKey: secrets.masterKey, database, logger },
    ...{ identity: identity.client, secrets: secretsOfApps.client },
  });
  const { apps, catalog, scheduler } = appStore;
  const ocean = await composeOcean({
    ...{ settings, installation: at, masterKey: secrets.masterKey, database, logger },
    ...{ workspaces, identity: identity.client },
  });
  whenPersonEnds.push(scheduler.whenPersonEnds, ocean.formerPeople.whenPersonEnds);
  workspaces.holds(ocean.contents);

  await scheduler.readdress();
  apps.begin();

  server.get('/healthz', { config: { public: 'health' } }, async () => {
    await database.sql`select 1`;
    return { status: 'ok' };
  });
  identity.register(server);
  workspaces.register(server, serviceAddresses.mlops.prefix);
  await services.mount(serviceAddresses.workspaces, {
    services: workspaces.services,
    deed: 'see workspaces',
  });
  await services.mount(serviceAddresses.mlops, { services: [], deed: 'see who one is' });
  await services.mount(serviceAddresses.auditTrail, {
    services: trail.services,
    deed: 'see what is served',
  });
  secureStore.register(server);
  secretsOfApps.register(server);
  await services.mount(serviceAddresses.secureStore, { services: secureStore.services, deed: 'use secrets' });
  createDiscovery({
    ...{ publicUrl, issuerUrl: issuer, version: haicVersion },
    services: [...services.records(), ...driveRecords(settings.driveUrl)],
  }).register(server);
  trail.register(server);
  catalog.register(server);
  scheduler.register(server);
  ocean.register(server);
  registerOperatorRoutes(server, apps.runtime, audit.outbox);
  measureDatabase(meter, database);
  measureOutbox(meter, audit.outbox);
  measureWorkloads(meter, apps.runtime);
  await registerCliDownload(server, at.cliFile);
  if (settings.portalDirectory !== undefined) await registerPortal(server, settings.portalDirectory);

  if (server.auditGaps.length > 0)
    logger.warn(
      { gaps: server.auditGaps },
      'Something can be changed that the audit trail does not hear of.',
    );
  // Before core's own socket: who waits for core to be healthy waits for this, too.
  await services.listen();
  await rm(at.coreSocket, { force: true });
  await server.listen({ path: at.coreSocket });
  await chmod(at.coreSocket, 0o600);
  const channel = await listenForRoles(server.server, settings, secrets.masterKey, logger);
  const sweeps = sweepDaily(
    {
      'blobs of apps': catalog,
      'kept answers': idempotency,
      'deleted secrets': secureStore,
      'the trash of Drive': ocean,
      'uploads to Drive': ocean.staleUploads,
      'what those who are gone left in Drive': ocean.formerPeople,
    },
    logger,
  );
  const checks = checkRegularly(catalog, settings.preconditionMinutes, logger);
  return {
    stop: async () => {
      sweeps.stop();
      checks.stop();
      appStore?.beginStop();
      await Promise.all([server.close(), services.close(), channel?.close()]);
      await ocean.stop();
      await apps.stop();
      await secureStore.stop();
      await workspaces.stop();
      await audit.stop();
      await identity.stop();
      await ownSocket.close();
      await database.close();
    },
  };
}
