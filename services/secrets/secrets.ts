import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { ServedService } from '@haic/kit/grpc-gateway/service.ts';
import type { Rate } from '@haic/kit/http/rate-limit.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { WorkspaceContents, WorkspacesClient } from '@haic/services/workspaces/client.ts';
import type { SecretsClient } from './client.ts';
import { createSecretsClient } from './for-services.ts';
import { createKeptSecretList } from './kept-list.ts';
import { createOAuth } from './oauth/oauth.ts';
import { createRevealCounter, usualRevealRate } from './reveal-rate.ts';
import { registerKeyRoutes } from './routes/operator.ts';
import { serveSecretVersions } from './routes/secret-versions.ts';
import { serveSecrets } from './routes/secrets.ts';
import { createRotation, type Rotation } from './sealing/rotation.ts';
import { createVault } from './sealing/vault.ts';
import type { KeySource } from './sealing/wrapping-keys.ts';
import { createSecretService } from './service.ts';
import { createSecretStore } from './store.ts';

export interface SecretsOptions {
  /** Migrated: `secretsMigrations`. */
  readonly database: Database;
  readonly keys: KeySource;
  readonly workspaces: WorkspacesClient;
  readonly audit: AuditWriter;
  readonly logger: Logger;
  /** Where browsers find Haic. */
  readonly publicUrl: string;
  readonly verifyToken: TokenVerifier;
  /** Whether somebody is removed, and not only disabled. */
  readonly isGone: (subject: string) => Promise<boolean>;
  readonly identity: Pick<IdentityClient, 'findPerson'>;
  /** How many values a person may read; `usualRevealRate` when left out. */
  readonly revealRate?: Rate;
  readonly now?: () => Date;
}

export interface Secrets {
  /** To be mounted at `/secure-store`. */
  readonly services: readonly ServedService[];
  readonly client: SecretsClient;
  /** What becomes of secrets when their workspace ends. */
  readonly contents: WorkspaceContents;
  readonly rotation: Rotation;
  /** The addresses for whoever runs the installation. */
  register(server: HttpServer): void;
  /** Accounts at other providers that somebody connected who is gone. Their secrets stay with their workspaces, which can be handed over. */
  whenPersonEnds(subject: string): Promise<void>;
  /** Removes what nobody needs any more; to be called once a day. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts with whatever keys there are: without the right ones it says so at each call that needs them, and the rest of Haic goes on. */
export function createSecrets(options: SecretsOptions): Secrets {
  const { database, keys, logger, workspaces, audit, publicUrl, verifyToken, isGone, identity } = options;
  const { now = () => new Date(), revealRate = usualRevealRate } = options;
  const vault = createVault({ database, keys });
  const rotation = createRotation({ database, keys, vault, logger });
  const store = createSecretStore({ database, vault });
  const countReveal = createRevealCounter(revealRate, () => now().getTime());
  const service = createSecretService({ store, workspaces, audit, countReveal, logger, now });
  const oauth = createOAuth({
    ...{ database, vault, audit, countReveal, publicUrl, verifyToken, isGone, identity },
    ...{ logger, now },
  });
  rotation.resume();
  return {
    services: [serveSecrets(service), serveSecretVersions(service), ...oauth.services],
    client: createSecretsClient({ store, keptList: createKeptSecretList(database), audit, now }),
    // While it is deleted nobody gets into the workspace, and so to none of these.
    contents: {
      ...{ holder: 'secure-store', whenDeleted: async () => {}, whenRestored: async () => {} },
      purge: store.purgeParent,
    },
    rotation,
    register: (server) => {
      registerKeyRoutes(server, rotation);
      oauth.register(server);
    },
    whenPersonEnds: oauth.whenPersonEnds,
    sweep: async () => {
      await service.sweep();
      await oauth.sweep();
    },
    stop: async () => {
      await rotation.stop();
      await oauth.stop();
    },
  };
}
