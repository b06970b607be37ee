import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { unlessBackedUp } from '@haic/platform/database/backup-lock.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { AppSecretsClient } from '@haic/services/secrets/app-secrets/client.ts';
import { type AppBlobs, createAppBlobs } from './blobs.ts';
import { type BundleLimits, defaultBundleLimits } from './bundle/limits.ts';
import { type CheckSummary, createPreconditionChecker, type PreconditionChecker } from './checker.ts';
import { appOfSecrets, type CatalogClient, type InstancesOf, type WhenAppIsHandedOver } from './client.ts';
import type { RuntimeVersion } from './manifest/runtime.ts';
import { accessOf, type DownloadRule } from './policy.ts';
import { assetUrl } from './present.ts';
import { changeAppRoute } from './routes/change-app.ts';
import { checkPreconditionsRoutes } from './routes/check-preconditions.ts';
import { withTypes } from './routes/context.ts';
import { deleteAppRoute } from './routes/delete-app.ts';
import { getAppRoute } from './routes/get-app.ts';
import { getAssetRoute } from './routes/get-asset.ts';
import { getBundleRoute } from './routes/get-bundle.ts';
import { importAppRoute } from './routes/import-app.ts';
import { listAppsRoute } from './routes/list-apps.ts';
import { listRuntimeVersionsRoute } from './routes/list-runtime-versions.ts';
import { type CatalogService, createCatalogService, isAppId } from './service.ts';
import { type AppStore, createAppStore } from './store.ts';
import { prepareUploadDirectory } from './uploads.ts';

export { catalogMigrations } from './migrations.ts';

export interface CatalogOptions {
  /** With `catalogMigrations` applied. */
  readonly database: Database;
  readonly blobs: BlobStore;
  /** What is not given is as in `defaultBundleLimits`. */
  readonly limits?: Partial<BundleLimits>;
  readonly instancesOf: InstancesOf;
  readonly identity: Pick<IdentityClient, 'findPerson' | 'findPersonByName'>;
  readonly secrets: Pick<AppSecretsClient, 'examine'>;
  readonly whenAppIsHandedOver: WhenAppIsHandedOver;
  /** The Pythons that bundles may name; at least one that is not deprecated. */
  readonly runtimeVersions: readonly RuntimeVersion[];
  /** What of the reserved H2O_WAVE variables bundles may set. */
  readonly allowedCoreEnv?: readonly RegExp[];
  /** Refuse bundles that name no RuntimeVersion. */
  readonly requireRuntimeVersion?: boolean;
  /** On a disk with room for `concurrentImports` bundles; created, and swept at the start. */
  readonly temporaryDirectory: string;
  /** Origin before the addresses of icons, if it is not the portal's. */
  readonly publicAssetUrlPrefix?: string;
  /** Who may download bundles; by default everyone who sees the app. */
  readonly downloads?: DownloadRule;
  /**
   * Versions that a person may have of one app; 10 by default. The vendor's AppVersionLimit does not say of what it counts; counted over all
   * apps, ten would keep a developer from a third app.
   */
  readonly versionLimit?: number;
  readonly logger: Logger;
}

export interface Catalog {
  register(server: HttpServer): void;
  readonly client: CatalogClient;
  /** Looks at every app whether it can still run here. Worth a call at the start and once an hour. */
  checkPreconditions(signal: AbortSignal): Promise<CheckSummary>;
  /** Removes blobs that no app owns (any more) and that are older than an hour. Worth a call at the start and once a day. */
  sweep(options?: { olderThanMs?: number; signal?: AbortSignal }): Promise<number>;
}

/** The app repository: import, list, visibility, deletion, and what other services ask of it. */
export async function createCatalog(options: CatalogOptions): Promise<Catalog> {
  const limits = { ...defaultBundleLimits, ...options.limits };
  if (!options.runtimeVersions.some((version) => version.deprecated !== true))
    throw new Error('The catalog needs a runtime version that takes new apps.');
  await prepareUploadDirectory(options.temporaryDirectory, limits);
  const store = createAppStore(options.database);
  const blobs = createAppBlobs(options.blobs);
  const assetPrefix = options.publicAssetUrlPrefix ?? '';
  const downloads = options.downloads ?? 'everyone';
  const checker = createPreconditionChecker({
    store,
    blobs,
    surroundings: {
      runtimeVersions: options.runtimeVersions,
      examineSecrets: async (app, references) =>
        options.secrets.examine(await appOfSecrets(app, options.identity), references),
    },
    logger: options.logger,
  });
  const service = createCatalogService({
    store,
    blobs,
    limits,
    rules: {
      runtimeVersions: options.runtimeVersions,
      requireRuntimeVersion: options.requireRuntimeVersion ?? false,
      ...(options.allowedCoreEnv === undefined ? {} : { allowedCoreEnv: options.allowedCoreEnv }),
    },
    checker,
    downloads,
    versionLimit: options.versionLimit ?? 10,
    instancesOf: options.instancesOf,
    unlessBackedUp: (work) => unlessBackedUp(options.database, work),
    identity: options.identity,
    secrets: options.secrets,
    whenAppIsHandedOver: options.whenAppIsHandedOver,
    temporaryDirectory: options.temporaryDirectory,
    logger: options.logger,
  });
  return {
    register: (plain) => {
      const server = withTypes(plain);
      const context = { service, limits, view: { assetPrefix, downloads } };
      for (const route of [
        listAppsRoute,
        importAppRoute,
        getAppRoute,
        changeAppRoute,
        deleteAppRoute,
        getAssetRoute,
        getBundleRoute,
        checkPreconditionsRoutes,
        listRuntimeVersionsRoute,
      ])
        route(server, context);
    },
    client: createClient({ store, blobs, service, checker, assetPrefix }),
    checkPreconditions: checker.checkAll,
    sweep: (sweep) => service.sweep(sweep),
  };
}

function createClient(parts: {
  readonly store: AppStore;
  readonly blobs: AppBlobs;
  readonly service: CatalogService;
  readonly checker: PreconditionChecker;
  readonly assetPrefix: string;
}): CatalogClient {
  const { store, blobs, service, checker, assetPrefix } = parts;
  return {
    getApp: async (id) => (isAppId(id) ? store.get(id) : undefined),
    getApps: (ids) => store.getMany(ids.filter(isAppId)),
    openBundle: async (id, { signal }) => (isAppId(id) ? blobs.openBundle(id, signal) : undefined),
    readText: async (id, file) => (isAppId(id) ? store.text(id, file) : undefined),
    accessOf,
    appsOwnedBy: (owner) => store.ownedBy(owner),
    appsNaming: (secret) => store.naming(secret),
    recheck: async (apps, signal) => {
      for (const app of apps) await checker.checkOne(app, { thorough: false, signal });
    },
    handOver: async (principal, id, username) => void (await service.handOver(principal, id, username)),
    iconUrl: (app) => {
      const icon = app.assets.find((asset) => asset.kind === 'icon');
      return icon === undefined ? null : assetUrl(assetPrefix, app.id, icon.name);
    },
  };
}
