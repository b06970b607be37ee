import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { createRouter, routerMigrations } from '@haic/services/app-store/router/router.ts';
import { clientSecretOf, type Installation, readSecrets } from './installation.ts';
import type { RunningRole } from './serve.ts';
import { requireDatabaseUrl, type ServerSettings } from './settings.ts';
import { tokenVerifierOf } from './token-verifier.ts';

/** The edge: owns the public listener and carries every byte of the portal, the APIs and the apps. */
export async function startRouter(options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
}): Promise<RunningRole> {
  const { settings, installation: at, logger } = options;
  const secrets = await readSecrets(at);
  const database = connectPostgres({ url: requireDatabaseUrl(settings), applicationName: 'haic-router' });
  await migrate(database, routerMigrations);
  const coreSocket = fetchOverSocket(at.coreSocket);
  const clientOf = (id: string) => ({ id, secret: clientSecretOf(id, settings, secrets) });
  const router = await createRouter({
    publicUrl: settings.publicUrl,
    listen: addresses(settings.host).map((host) => ({ host, port: settings.port })),
    ...(settings.tlsCertificate === undefined || settings.tlsKey === undefined
      ? {}
      : { tls: { certificateFile: settings.tlsCertificate, keyFile: settings.tlsKey } }),
    tlsTerminatedUpstream: settings.tlsEndsInFront,
    core: { socketPath: at.coreSocket },
    database,
    masterKey: secrets.masterKey,
    issuer: settings.issuer,
    portalClient: clientOf(wellKnownClients.portal),
    serviceClient: clientOf(wellKnownClients.router),
    verifyToken: tokenVerifierOf(settings, coreSocket),
    logger,
  });
  await router.listen();
  return {
    stop: async () => {
      await router.close();
      await coreSocket.close();
      await database.close();
    },
  };
}

/** Browsers may resolve localhost to either family. */
const addresses = (host: string): readonly string[] => (host === 'localhost' ? ['127.0.0.1', '::1'] : [host]);
