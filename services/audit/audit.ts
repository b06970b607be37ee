import type { ServedService } from '@haic/kit/grpc-gateway/service.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { WorkspacesClient } from '../workspaces/client.ts';
import { createChain } from './chain.ts';
import type { TrailClient } from './client.ts';
import { exportEvents } from './export.ts';
import { createLoginNames } from './login-names.ts';
import { expireEvents } from './retention.ts';
import { auditTrailRpc } from './routes/audit-trail-rpc.ts';
import { registerExport } from './routes/export-events.ts';
import type { SearchEffort } from './search.ts';
import { createAuditService } from './service.ts';
import { createTrail } from './trail.ts';
import { createLocalTrailClient } from './trail-client.ts';
import { createFileWitness, noWitness } from './witness.ts';

export { auditMigrations } from './migrations.ts';

export interface AuditOptions {
  readonly database: Database;
  readonly masterKey: Buffer;
  /** Where to write down how far the trail has come; undefined for nowhere. */
  readonly witnessFile: string | undefined;
  readonly usernameOf: (subject: string) => Promise<string | undefined>;
  readonly workspaces?: WorkspacesClient;
  /** Days that events are kept; 0 for ever. */
  readonly retentionDays: number;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly effort?: SearchEffort;
}

export interface Audit {
  /** To be mounted at `/audit-trail`. */
  readonly services: readonly ServedService[];
  /** Mounts what is no part of the contract: the export. */
  register(server: HttpServer): void;
  /** For the outbox of the process that it runs in. */
  readonly client: TrailClient;
  /** Gives up what is older than it has to be kept. Worth a call at the start and once a day. */
  expire(signal: AbortSignal): Promise<number>;
  stop(): Promise<void>;
}

/** The audit trail: what services tell of, kept so that a change to it is found. */
export function createAudit(options: AuditOptions): Audit {
  const { database, masterKey, witnessFile, logger, retentionDays } = options;
  const now = options.now ?? Date.now;
  const chain = createChain(masterKey);
  const witness = witnessFile === undefined ? noWitness : createFileWitness(witnessFile, chain);
  const trail = createTrail({ database, chain, witness, logger, now });
  const service = createAuditService({
    database,
    trail,
    workspaces: options.workspaces,
    ...(options.effort === undefined ? {} : { effort: options.effort }),
  });
  const namesOf = createLoginNames(options.usernameOf);
  return {
    services: [auditTrailRpc(service, namesOf, now)],
    register: (server) =>
      registerExport(server, {
        now,
        enforceSearch: service.enforceSearch,
        exported: (filter, format, signal) => exportEvents({ database, filter, namesOf, format, signal }),
      }),
    client: createLocalTrailClient(service),
    expire: async (signal) =>
      retentionDays === 0
        ? 0
        : expireEvents({ database, trail, chain, days: retentionDays, logger, signal, now }),
    stop: trail.stop,
  };
}
