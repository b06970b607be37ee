import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { IdentityClient, PeopleDirectory } from '@haic/services/identity/client.ts';
import { createExternalIdentity } from '@haic/services/identity/external/external-identity.ts';
import { createIdentity, type IdentityOptions } from '@haic/services/identity/identity.ts';
import { clientSecretOf, type InstallationSecrets } from './installation.ts';
import type { ServerSettings } from './settings.ts';

/** Who people are: Haic's own issuer, or that of the organisation. The rest of Haic sees no difference. */
export interface ComposedIdentity {
  readonly client: IdentityClient;
  readonly directory: PeopleDirectory;
  register(server: HttpServer): void;
  stop(): Promise<void>;
}

export async function composeIdentity(options: {
  settings: ServerSettings;
  secrets: InstallationSecrets;
  database: Database;
  logger: Logger;
  audit: AuditWriter;
  /** What happens in other services when a person is disabled or removed. */
  whenPersonEnds?: IdentityOptions['whenPersonEnds'];
  actsForOwner?: IdentityOptions['actsForOwner'];
}): Promise<ComposedIdentity> {
  const { settings, secrets, database, logger } = options;
  const { publicUrl, issuer } = settings;
  const common = { database, publicUrl, issuer, masterKey: secrets.masterKey, logger };
  if (settings.issuerIsOwn) {
    const { router, core, drive, operator } = wellKnownClients;
    const serviceClients = [router, core, drive, operator];
    return createIdentity({
      ...common,
      audit: options.audit,
      serviceClients: Object.fromEntries(serviceClients.map((id) => [id, secrets.clientSecret(id)])),
      portalClientSecret: secrets.portalClientSecret,
      ...(settings.upstreamProviders === undefined ? {} : { upstreamProviders: settings.upstreamProviders }),
      ...(options.whenPersonEnds === undefined ? {} : { whenPersonEnds: options.whenPersonEnds }),
      ...(options.actsForOwner === undefined ? {} : { actsForOwner: options.actsForOwner }),
    });
  }
  const id = wellKnownClients.core;
  const external = createExternalIdentity({
    ...common,
    serviceClient: { id, secret: clientSecretOf(id, settings, secrets) },
    fetch,
    ...(options.whenPersonEnds === undefined ? {} : { whenPersonEnds: options.whenPersonEnds }),
  });
  return { ...external, stop: async () => {} };
}
