import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { Exposure } from '@haic/kit/http/listening.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { SignInStandingClient } from '@haic/services/identity/client.ts';
import type { WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { type Buckets, createBuckets } from './buckets.ts';
import { type Patience, usualPatience } from './deadline.ts';
import { createHandler } from './handler.ts';
import { createDriveListener } from './listener.ts';
import { createObjectTrail } from './object-trail.ts';
import { createObjectService, type ObjectService } from './service.ts';
import { createSessions } from './sessions.ts';
import { createShareStore } from './shares.ts';
import { createStanding } from './standing.ts';
import type { DriveAudit } from './sts/trail.ts';
import { createUsageStore, type UsageStore } from './usage/store.ts';
import { keepAccounts } from './usage/usage.ts';

export { driveMigrations } from './migrations.ts';

export interface DriveOptions extends Exposure {
  /** With `driveMigrations` applied. */
  readonly database: Database;
  /** With MD5 etags, which S3 clients compare. */
  readonly blobs: BlobStore;
  readonly masterKey: Buffer;
  readonly verifyToken: TokenVerifier;
  readonly workspaces: WorkspacesClient;
  readonly standing: SignInStandingClient;
  /** Where people reach Drive; without a trailing slash. */
  readonly driveUrl: string;
  /** Of the portal, whose pages may call Drive. */
  readonly publicUrl: string;
  /** Bytes for a person or a workspace that none was set for; 0 for no limit. */
  readonly defaultQuota: number;
  /** With clients; the usual one unless it is given. */
  readonly patience?: Patience | undefined;
  /** Without one, nothing is recorded. */
  readonly audit?: DriveAudit | undefined;
  /** Whether the audit trail hears of objects that are read and written, too, and not only of those that are deleted. */
  readonly auditObjects?: boolean;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
}

export interface Drive {
  readonly objects: ObjectService;
  readonly buckets: Buckets;
  readonly usage: Pick<UsageStore, 'usageOf' | 'setQuota'>;
  /** Counts what writers that died left uncounted; also runs by itself. */
  sweep(): Promise<void>;
  listen(): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** Drive: STS and S3 over any blob store. */
export async function createDrive(options: DriveOptions): Promise<Drive> {
  const { database, blobs, logger } = options;
  const accounts = await keepAccounts({
    store: createUsageStore(database, options.defaultQuota),
    blobs,
    logger,
  });
  const objects = createObjectService(blobs, accounts.accounts);
  const buckets = createBuckets(options.workspaces);
  const { patience = usualPatience, auditObjects = false, audit } = options;
  const trail = createObjectTrail({ audit, everything: auditObjects, logger });
  const handle = createHandler({
    ...options,
    patience,
    sessions: createSessions(options.masterKey),
    standing: createStanding(options.standing, createShareStore(database)),
    buckets,
    objects,
    trail,
    portalOrigin: new URL(options.publicUrl).origin,
  });
  const listener = createDriveListener({ ...options, patience, handle });
  return {
    objects,
    buckets,
    usage: accounts.usage,
    sweep: accounts.sweep,
    listen: listener.listen,
    close: async () => {
      await listener.close();
      await trail.stop();
      await accounts.stop();
    },
  };
}
