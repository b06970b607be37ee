import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createServiceToken } from '@haic/kit/auth/service-token.ts';
import { fetchOver } from '@haic/kit/http/over-socket.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import { createBlobServer } from '@haic/platform/blob/remote/listener.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { createHttpTrailClient } from '@haic/services/audit/client.ts';
import { auditOutboxMigrations, createAuditOutbox } from '@haic/services/audit/outbox/outbox.ts';
import { createDrive, driveMigrations } from '@haic/services/drive/drive.ts';
import { createHttpSignInStandingClient } from '@haic/services/identity/client.ts';
import { createAccessCache } from '@haic/services/workspaces/access-cache.ts';
import { createHttpWorkspacesClient } from '@haic/services/workspaces/client.ts';
import { openBlobs } from './blobs.ts';
import { coreTargetOf, listenForCore } from './channels.ts';
import { clientSecretOf, type Installation, readSecrets } from './installation.ts';
import { measureDatabase, measureOutbox } from './operations.ts';
import type { RunningRole } from './serve.ts';
import { serviceAddresses } from './service-addresses.ts';
import {
  drivePort,
  listenedAddresses,
  requireDatabaseUrl,
  type ServerSettings,
  tlsFiles,
} from './settings.ts';
import { tokenVerifierOf } from './token-verifier.ts';

/** Drive's process and listener: every byte of objects, and none of anything else. */
export async function startDrive(options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
  meter: Meter | undefined;
}): Promise<RunningRole> {
  const { settings, installation: at, logger, meter } = options;
  const secrets = await readSecrets(at);
  const database = connectPostgres({
    url: requireDatabaseUrl(settings),
    applicationName: 'haic-drive',
    statements: { logger, slowMs: settings.slowStatementMs },
  });
  for (const migrations of [driveMigrations, auditOutboxMigrations]) await migrate(database, migrations);
  const coreFetch = fetchOver(coreTargetOf('drive', settings, at, secrets.masterKey));
  const client = wellKnownClients.drive;
  const token = createServiceToken({
    issuer: settings.issuer,
    client: { id: client, secret: clientSecretOf(client, settings, secrets) },
    fetch: settings.issuerIsOwn ? coreFetch : fetch,
  });
  const core = { baseUrl: 'http://core', fetch: coreFetch, token };
  const outbox = createAuditOutbox({
    database,
    trail: createHttpTrailClient({
      ...core,
      baseUrl: `${core.baseUrl}${serviceAddresses.auditTrail.prefix}`,
    }),
    logger,
  });
  const workspaces = await createAccessCache({ inner: createHttpWorkspacesClient(core), database });
  const blobs = await openBlobs(settings, at, { etags: 'md5' });
  const drive = await createDrive({
    listen: listenedAddresses(settings, drivePort(settings)),
    ...tlsFiles(settings),
    tlsTerminatedUpstream: settings.tlsEndsInFront,
    database,
    blobs,
    masterKey: secrets.masterKey,
    verifyToken: tokenVerifierOf(settings, coreFetch),
    workspaces,
    standing: createHttpSignInStandingClient(core),
    driveUrl: settings.driveUrl,
    publicUrl: settings.publicUrl,
    defaultQuota: settings.driveQuotaGib * 1024 ** 3,
    audit: outbox,
    auditObjects: settings.driveAuditObjects,
    logger,
    meter,
  });
  measureDatabase(meter, database);
  const objects = await listenForCore(createBlobServer(blobs, logger), settings, secrets.masterKey, logger);
  measureOutbox(meter, outbox);
  await drive.listen();
  return {
    stop: async () => {
      await drive.close();
      await objects?.close();
      await outbox.stop();
      await workspaces.stop();
      await coreFetch.close();
      await database.close();
    },
  };
}
