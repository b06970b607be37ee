import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { fetchOver } from '@haic/kit/http/over-socket.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { Tracer } from '@haic/kit/telemetry/tracer.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { createRouter, routerMigrations } from '@haic/services/app-store/router/router.ts';
import { createHttpTrailClient } from '@haic/services/audit/client.ts';
import { auditOutboxMigrations, createAuditOutbox } from '@haic/services/audit/outbox/outbox.ts';
import { coreTargetOf } from './channels.ts';
import { clientSecretOf, type Installation, readSecrets } from './installation.ts';
import { measureDatabase, measureOutbox } from './operations.ts';
import type { RunningRole } from './serve.ts';
import { serviceAddresses, servicePrefixes } from './service-addresses.ts';
import { listenedAddresses, requireDatabaseUrl, type ServerSettings, tlsFiles } from './settings.ts';
import { tokenVerifierOf } from './token-verifier.ts';

/** The edge: owns the public listener and carries every byte of the portal, the APIs and the apps. */
export async function startRouter(options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
  meter: Meter | undefined;
  tracer: Tracer | undefined;
}): Promise<RunningRole> {
  const { settings, installation: at, logger, meter, tracer } = options;
  const secrets = await readSecrets(at);
  const database = connectPostgres({
    url: requireDatabaseUrl(settings),
    applicationName: 'haic-router',
    statements: { logger, slowMs: settings.slowStatementMs },
  });
  for (const migrations of [routerMigrations, auditOutboxMigrations]) await migrate(database, migrations);
  const core = coreTargetOf('router', settings, at, secrets.masterKey);
  const coreFetch = fetchOver(core);
  const clientOf = (id: string) => ({ id, secret: clientSecretOf(id, settings, secrets) });
  const serviceToken = Promise.withResolvers<() => Promise<string>>();
  const outbox = createAuditOutbox({
    database,
    trail: createHttpTrailClient({
      baseUrl: `http://core${serviceAddresses.auditTrail.prefix}`,
      fetch: coreFetch,
      token: async () => (await serviceToken.promise)(),
    }),
    logger,
  });
  const router = await createRouter({
    publicUrl: settings.publicUrl,
    listen: listenedAddresses(settings, settings.port),
    ...tlsFiles(settings),
    tlsTerminatedUpstream: settings.tlsEndsInFront,
    core,
    servicePrefixes,
    objectsOrigin: new URL(settings.driveUrl).origin,
    database,
    masterKey: secrets.masterKey,
    issuer: settings.issuer,
    portalClient: clientOf(wellKnownClients.portal),
    serviceClient: clientOf(wellKnownClients.router),
    verifyToken: tokenVerifierOf(settings, coreFetch),
    audit: outbox,
    logger,
    meter,
    tracer,
  });
  serviceToken.resolve(router.serviceToken);
  await router.listen();
  measureDatabase(meter, database);
  measureOutbox(meter, outbox);
  return {
    stop: async () => {
      await router.close();
      await outbox.stop();
      await coreFetch.close();
      await database.close();
    },
  };
}
