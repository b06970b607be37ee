import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { type Catalog, createCatalog } from '@haic/services/app-store/catalog/catalog.ts';
import { createScheduler, type Scheduler } from '@haic/services/app-store/scheduler/scheduler.ts';
import { createMemoryStarting } from '@haic/services/app-store/scheduler/starting/memory.ts';
import { createPostgresStarting } from '@haic/services/app-store/scheduler/starting/postgres.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { AppSecretsClient } from '@haic/services/secrets/app-secrets/client.ts';
import { type AppRuntime, createAppRuntime } from './app-runtime.ts';
import { openBlobs } from './blobs.ts';
import type { Installation } from './installation.ts';
import type { ServerSettings } from './settings.ts';

export interface AppStore {
  readonly apps: AppRuntime;
  readonly catalog: Catalog;
  readonly scheduler: Scheduler;
  /** Ends what it does by itself. The runtime is stopped after the server, whose calls still ask it. */
  beginStop(): void;
}

/** Catalog and scheduler over what apps run on. */
export async function composeAppStore(parts: {
  readonly settings: ServerSettings;
  readonly installation: Installation;
  readonly masterKey: Buffer;
  readonly database: Database;
  readonly identity: IdentityClient;
  readonly secrets: AppSecretsClient;
  readonly logger: Logger;
}): Promise<AppStore> {
  const { settings, installation: at, masterKey, database, identity, secrets, logger } = parts;
  const { publicUrl, issuer } = settings;
  const apps = await createAppRuntime({ settings, installation: at, logger });
  const { runtime, launcher, installer, network, runtimeVersions } = apps;

  // Each asks the other: one of them has to be named first.
  let scheduler: Scheduler | undefined;
  const catalog = await createCatalog({
    database,
    blobs: await openBlobs(settings, at, { etags: 'sha256' }),
    temporaryDirectory: at.uploads,
    instancesOf: async (appId) => (await scheduler?.instancesOf(appId)) ?? 0,
    identity,
    secrets,
    whenAppIsHandedOver: async (appId, owner) => scheduler?.whenAppIsHandedOver(appId, owner),
    runtimeVersions,
    requireRuntimeVersion: settings.requireRuntimeVersion,
    downloads: settings.appDownloads,
    versionLimit: settings.appVersionLimit,
    logger,
  });
  const othersStart = settings.runtime === 'kubernetes';
  scheduler = createScheduler({
    runtime,
    catalog: catalog.client,
    identity,
    secrets,
    // Where nobody else starts any, what goes on ends with this process: after a crash nothing waits for it.
    starting: othersStart ? createPostgresStarting(database) : createMemoryStarting(),
    masterKey,
    publicUrl,
    issuer,
    launcher,
    installer,
    network,
    runtimeVersions,
    limits: { fullAccess: settings.instanceLimit, visitor: settings.visitorInstanceLimit },
    othersStart,
    suspendAfter: settings.suspendAfterHours === 0 ? 'never' : settings.suspendAfterHours * 3600,
    logger,
  });
  const composed = { apps, catalog, scheduler };
  return {
    ...composed,
    beginStop: () => {
      composed.scheduler.stop();
      apps.beginStop();
    },
  };
}
