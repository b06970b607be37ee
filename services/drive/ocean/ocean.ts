import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { WorkspaceContents, WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { createBuckets, workspaceBucket } from '../buckets.ts';
import { createObjectService } from '../service.ts';
import { createSessions } from '../sessions.ts';
import { createShareStore } from '../shares.ts';
import { createStaleUploads, type StaleUploads } from '../stale-uploads.ts';
import { createUsageStore } from '../usage/store.ts';
import { keepAccounts } from '../usage/usage.ts';
import { createFormerPeople, type FormerPeople } from './former-people.ts';
import { createFormerPeopleStore } from './former-people-store.ts';
import { createQuotas } from './quotas.ts';
import { createRemoveBucket } from './removal.ts';
import { abortUploadRoute } from './routes/abort-upload.ts';
import { addressPartsRoute } from './routes/address-parts.ts';
import { beginUploadRoute } from './routes/begin-upload.ts';
import { completeUploadRoute } from './routes/complete-upload.ts';
import { withTypes } from './routes/context.ts';
import { describeDriveRoute } from './routes/describe-drive.ts';
import { formerPeopleRoutes } from './routes/former-people.ts';
import { getBucketRoute } from './routes/get-bucket.ts';
import { getObjectAddressRoute } from './routes/get-object-address.ts';
import { listBucketsRoute } from './routes/list-buckets.ts';
import { listEntriesRoute } from './routes/list-entries.ts';
import { listPartsRoute } from './routes/list-parts.ts';
import { listTrashRoute } from './routes/list-trash.ts';
import { listUploadsRoute } from './routes/list-uploads.ts';
import { makeFolderRoute } from './routes/make-folder.ts';
import { operationRoutes } from './routes/operations.ts';
import { quotaRoutes } from './routes/quotas.ts';
import { shareObjectRoute } from './routes/share-object.ts';
import { sharesRoutes } from './routes/shares.ts';
import { startOperationRoute } from './routes/start-operation.ts';
import { createRunner } from './runner.ts';
import { createOceanService } from './service.ts';
import { createOceanStore } from './store.ts';

export { oceanMigrations } from './migrations.ts';

export interface OceanOptions {
  /** With the migrations of Drive and of this applied. */
  readonly database: Database;
  /** The one that Drive serves. */
  readonly blobs: BlobStore;
  readonly masterKey: Buffer;
  readonly workspaces: WorkspacesClient;
  /** By its id, whoever may know of it. */
  readonly workspaceExists: (id: string) => Promise<boolean>;
  readonly identity: Pick<IdentityClient, 'findPerson' | 'findPersonByName' | 'activeAmong'>;
  /** Whether somebody is removed, and not only disabled. */
  readonly isGone: (subject: string) => Promise<boolean>;
  /** Where browsers reach Drive; without a trailing slash. */
  readonly driveUrl: string;
  readonly defaultQuota: number;
  /** What was deleted is kept for so long; 0 for not at all. */
  readonly trashDays: number;
  /** Uploads in parts that are not completed so long after they began are given up; 0 for never. */
  readonly uploadDays: number;
  readonly logger: Logger;
  readonly now?: () => Date;
}

export interface Ocean {
  register(server: HttpServer): void;
  /** Empties the trash of what is old. Worth a call a day. */
  sweep(): Promise<void>;
  /** What becomes of a workspace's bucket when the workspace ends. */
  readonly contents: WorkspaceContents;
  /** What becomes of the buckets of those who are removed. */
  readonly formerPeople: Pick<FormerPeople, 'whenPersonEnds' | 'sweep'>;
  /** What was begun and never completed, by the page or by any other client. */
  readonly staleUploads: StaleUploads;
  stop(): Promise<void>;
}

/**
 * What the portal's Drive page asks: folders, names, the trash, and addresses at which the browser itself brings and gets the bytes. None of them
 * passes through here.
 */
export async function createOcean(options: OceanOptions): Promise<Ocean> {
  const { database, blobs, logger, driveUrl, trashDays } = options;
  const accounts = await keepAccounts({
    store: createUsageStore(database, options.defaultQuota),
    blobs,
    logger,
  });
  const { usage } = accounts;
  const store = createOceanStore(database);
  const shares = createShareStore(database);
  const runner = createRunner(store, logger);
  const objects = createObjectService(blobs, accounts.accounts);
  const removeBucket = createRemoveBucket({
    blobs,
    objects,
    accounts: accounts.accounts,
    usage,
    store,
    shares,
  });
  const formerPeople = createFormerPeople({
    ...{ people: createFormerPeopleStore(database), identity: options.identity, isGone: options.isGone },
    ...{
      objects,
      usage,
      operations: store,
      runner,
      removeBucket,
      logger,
      now: options.now ?? (() => new Date()),
    },
  });
  const service = createOceanService({
    ...{ usage, store, shares, runner, driveUrl, trashDays, logger, objects },
    buckets: createBuckets(options.workspaces),
    sessions: createSessions(options.masterKey),
  });
  return {
    register: (plain) => {
      const server = withTypes(plain);
      const nameOf = async (subject: string) =>
        (await options.identity.findPerson(subject))?.username ?? subject;
      for (const route of [
        describeDriveRoute,
        listBucketsRoute,
        getBucketRoute,
        listEntriesRoute,
        makeFolderRoute,
        listUploadsRoute,
        beginUploadRoute,
        addressPartsRoute,
        listPartsRoute,
        completeUploadRoute,
        abortUploadRoute,
        getObjectAddressRoute,
        shareObjectRoute,
        sharesRoutes,
        startOperationRoute,
        operationRoutes,
        listTrashRoute,
      ])
        route(server, { service, nameOf });
      formerPeopleRoutes(server, formerPeople);
      quotaRoutes(
        server,
        createQuotas({ usage, identity: options.identity, workspaceExists: options.workspaceExists }),
      );
    },
    // While it is deleted nobody gets into the workspace, and so to none of these.
    contents: {
      ...{ holder: 'drive', whenDeleted: async () => {}, whenRestored: async () => {} },
      purge: (workspace) => removeBucket(workspaceBucket({ workspace, role: 'owner' })),
    },
    formerPeople,
    sweep: service.sweep,
    staleUploads: createStaleUploads({ blobs, accounts: accounts.accounts, days: options.uploadDays }),
    stop: async () => {
      await runner.stop();
      await accounts.stop();
    },
  };
}
