import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { WorkspacesClient } from '@haic/services/workspaces/client.ts';
import type { SecretsClient } from '../client.ts';
import { namesOf } from '../names.ts';
import { withTypes } from '../routes/server.ts';
import type { AppSecretsClient } from './client.ts';
import { createAppSecrets } from './lending.ts';
import { createSecretRoute } from './routes/create-secret.ts';
import { deleteSecretRoutes } from './routes/delete-secret.ts';
import { getSecretRoute } from './routes/get-secret.ts';
import { listSecretsRoute } from './routes/list-secrets.ts';
import { replaceSecretRoute } from './routes/replace-secret.ts';
import { revealSecretRoute } from './routes/reveal-secret.ts';
import { createAppSecretService } from './service.ts';
import { type AppsOfSecrets, createSecretUsers } from './users.ts';

export interface SecretsOfAppsOptions {
  readonly store: SecretsClient;
  readonly workspaces: WorkspacesClient;
  readonly identity: Pick<IdentityClient, 'findPerson'>;
  /** Asked when something is changed, which the catalog must know of, and which it must not need. */
  readonly catalog: AppsOfSecrets;
  readonly logger: Logger;
}

/** The App Store's secrets, kept in the secure store: their API, and what apps get of them. */
export interface SecretsOfApps {
  readonly client: AppSecretsClient;
  register(server: HttpServer): void;
}

export function createSecretsOfApps(options: SecretsOfAppsOptions): SecretsOfApps {
  const { store, workspaces, identity, catalog, logger } = options;
  const users = createSecretUsers({ store, workspaces, identity, catalog, logger });
  const service = createAppSecretService({ store, workspaces, users, logger });
  return {
    client: createAppSecrets({ store, workspaces }),
    register: (plain) => {
      const server = withTypes(plain);
      const context = {
        service,
        namesOf: (principals: readonly string[]) => namesOf(identity, principals),
      };
      for (const route of [
        listSecretsRoute,
        createSecretRoute,
        getSecretRoute,
        replaceSecretRoute,
        revealSecretRoute,
        deleteSecretRoutes,
      ])
        route(server, context);
    },
  };
}
