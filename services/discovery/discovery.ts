import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import {
  type Catalogue,
  type ClientRecord,
  type ComponentRecord,
  checkCatalogue,
  type LinkRecord,
  type ServiceRecord,
} from './model.ts';
import { registerEnvironment } from './routes/environment.ts';
import { registerLists } from './routes/lists.ts';
import { registerVersion } from './routes/version.ts';

export type { ClientRecord, ComponentRecord, LinkRecord, ServiceRecord } from './model.ts';

export interface DiscoveryOptions {
  /** No trailing slash; exactly as people type it. */
  readonly publicUrl: string;
  readonly issuerUrl: string;
  /** Of this Haic; published as h2oCloudVersion and at /version. */
  readonly version: string;
  readonly services?: readonly ServiceRecord[];
  readonly links?: readonly LinkRecord[];
  readonly components?: readonly ComponentRecord[];
  /** In place of the two clients that every Haic has. */
  readonly clients?: readonly ClientRecord[];
}

const defaultClients: readonly ClientRecord[] = [
  { id: 'platform', displayName: 'Platform', oauth2ClientId: wellKnownClients.platform },
  { id: 'cli', displayName: 'Command line', oauth2ClientId: wellKnownClients.cli },
];

/** Throws when an entry would make official clients fail. */
export function createDiscovery(options: DiscoveryOptions): { register(server: HttpServer): void } {
  const catalogue: Catalogue = checkCatalogue({
    environment: {
      publicUrl: options.publicUrl,
      issuerUrl: options.issuerUrl,
      version: options.version,
      platformScope: '',
    },
    services: options.services ?? [],
    clients: options.clients ?? defaultClients,
    links: options.links ?? [],
    components: options.components ?? [{ id: 'haic', displayName: 'Haic', version: options.version }],
  });
  return {
    register: (server) => {
      server.register(async (scope) => {
        registerEnvironment(scope, catalogue.environment);
        registerLists(scope, catalogue);
        registerVersion(scope, options.version);
      });
    },
  };
}
