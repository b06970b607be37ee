import type { Logger } from '@haic/kit/logging.ts';
import { createRemoteBlobStore } from '@haic/platform/blob/remote/store.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { createOcean, type Ocean } from '@haic/services/drive/ocean/ocean.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { Workspaces } from '@haic/services/workspaces/workspaces.ts';
import { openBlobs } from './blobs.ts';
import { objectsTargetOf } from './channels.ts';
import type { Installation } from './installation.ts';
import { isGoneAccordingTo } from './secrets.ts';
import type { ServerSettings } from './settings.ts';

/** What the portal's Drive page asks of core; the objects are those that the drive process serves. */
export const composeOcean = async (options: {
  settings: ServerSettings;
  installation: Installation;
  masterKey: Buffer;
  database: Database;
  workspaces: Pick<Workspaces, 'client' | 'exists'>;
  identity: IdentityClient;
  logger: Logger;
}): Promise<Ocean> => {
  const { settings, masterKey } = options;
  // Where Drive keeps them on a volume of its own, they are had from Drive.
  const there = objectsTargetOf(settings, masterKey);
  const remote = there && createRemoteBlobStore(there);
  const ocean = await createOcean({
    ...{ database: options.database, masterKey, logger: options.logger },
    ...{ workspaces: options.workspaces.client, identity: options.identity },
    workspaceExists: options.workspaces.exists,
    isGone: isGoneAccordingTo(options.identity),
    blobs: remote ?? (await openBlobs(settings, options.installation, { etags: 'md5' })),
    driveUrl: settings.driveUrl,
    defaultQuota: settings.driveQuotaGib * 1024 ** 3,
    trashDays: settings.driveTrashDays,
    uploadDays: settings.driveUploadDays,
  });
  return {
    ...ocean,
    stop: async () => {
      await ocean.stop();
      await remote?.close();
    },
  };
};
