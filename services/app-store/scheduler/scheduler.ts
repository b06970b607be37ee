import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime, RuntimeCapabilities } from '@haic/platform/runtime/port.ts';
import type { IdentityClient, WhenPersonEnds } from '@haic/services/identity/client.ts';
import type { AppSecretsClient } from '@haic/services/secrets/app-secrets/client.ts';
import type { CatalogClient, WhenAppIsHandedOver } from '../catalog/client.ts';
import { createSecretsOfInstances } from './app-secrets.ts';
import { createBelongings } from './belongings.ts';
import type { RouteEvent, SchedulerClient } from './client.ts';
import { createInstances } from './instances.ts';
import type { LauncherConfig } from './launcher-config.ts';
import { actsForItsOwner, createLauncherService } from './launcher-service.ts';
import type { SuspendAfter } from './model.ts';
import { routeLines } from './route-events.ts';
import { appUsageRoute } from './routes/app-usage.ts';
import { belongingsRoutes } from './routes/belongings.ts';
import { changeInstanceRoute } from './routes/change-instance.ts';
import { type RouteContext, withTypes } from './routes/context.ts';
import { getInstanceRoute } from './routes/get-instance.ts';
import { instanceEventsRoute } from './routes/instance-events.ts';
import { instanceLogsRoute } from './routes/instance-logs.ts';
import { launcherBundleRoute } from './routes/launcher-bundle.ts';
import { launcherSecretsRoute } from './routes/launcher-secrets.ts';
import { launcherTokenRoute } from './routes/launcher-token.ts';
import { listInstancesRoute } from './routes/list-instances.ts';
import { meRoute } from './routes/me.ts';
import { pauseInstanceRoutes } from './routes/pause-instance.ts';
import { redeployInstanceRoute } from './routes/redeploy-instance.ts';
import { runInstanceRoute } from './routes/run-instance.ts';
import { terminateInstanceRoute } from './routes/terminate-instance.ts';
import { visitAppRoute } from './routes/visit-app.ts';
import { watchRoutesRoute } from './routes/watch-routes.ts';
import type { RuntimeVersion } from './runtime-versions.ts';
import { createInstanceService, type InstanceLimits } from './service.ts';
import type { Starting } from './starting/port.ts';
import { createClientSweep } from './sweep.ts';

export interface SchedulerOptions {
  readonly runtime: Runtime;
  readonly catalog: CatalogClient;
  readonly identity: IdentityClient;
  readonly secrets: AppSecretsClient;
  /** Shared by all schedulers over the same runtime. */
  readonly starting: Starting;
  readonly masterKey: Buffer;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  /** Without a trailing slash. */
  readonly issuer: string;
  readonly launcher: { readonly image: string; readonly command: readonly string[] };
  /** Path of the installer's socket as an instance sees it; undefined where each makes its environment itself. */
  readonly installer: { readonly socket: string } | undefined;
  readonly network: LauncherConfig['network'];
  readonly runtimeVersions: readonly RuntimeVersion[];
  readonly limits?: Partial<InstanceLimits & { readonly defaultMemoryLimit: number }>;
  /** There are several of this scheduler, over the same runtime. */
  readonly othersStart?: boolean;
  readonly logger: Logger;
  /** What the portal says of isolation; the runtime's own word by default. */
  readonly isolationInfo?: () => RuntimeCapabilities;
  /** Seconds after which an instance pauses by itself, unless its app says otherwise. Default: 8 hours. */
  readonly suspendAfter?: SuspendAfter;
  /** The clock; replaced in tests. */
  readonly now?: () => number;
  /** Milliseconds; the defaults are right outside of tests. */
  readonly intervals?: Partial<Intervals>;
}

interface Intervals {
  readonly heartbeatMs: number;
  readonly routePingMs: number;
  readonly leaseCheckMs: number;
  readonly progressMs: number;
  readonly sweepMs: number;
  /** After a sweep that failed. */
  readonly sweepAgainMs: number;
  readonly pauseMs: number;
  readonly ownersMs: number;
}

const defaultIntervals: Intervals = {
  heartbeatMs: 10_000,
  routePingMs: 5_000,
  leaseCheckMs: 15_000,
  progressMs: 1_000,
  sweepMs: 60_000,
  sweepAgainMs: 5_000,
  pauseMs: 15_000,
  ownersMs: 15_000,
};
/** More than a start may take until the runtime knows of it (`service.ts`). */
const longestStartMs = 6 * 60_000;
const defaultSuspendAfter = 8 * 3600;
const defaultLimits = { fullAccess: 10, visitor: 5, defaultMemoryLimit: 2 * 1024 ** 3 };

export interface Scheduler {
  register(server: HttpServer): void;
  readonly client: SchedulerClient;
  /**
   * Ends the sign-in clients of instances that are gone, pauses what belongs to nobody who may sign in, and lets instances follow their
   * app's owner: whatever a crash or an absent service left undone. Runs by itself at the start and once a minute; owners are looked at
   * four times as often, because the issuer of an organisation tells nobody whom it disables.
   */
  reconcile(): Promise<void>;
  /** Instances that were made for another address or machine are made anew. Before the runtime starts anything. */
  readdress(): Promise<number>;
  /** Pauses the instances whose time is up. Runs by itself. */
  pauseDue(): Promise<void>;
  instancesOf(appId: string): Promise<number>;
  /** Whether the code of the instance may act for this person, its owner: nobody else may open it. */
  actsForOwner(instanceId: string, subject: string): Promise<boolean>;
  /** When somebody is disabled or removed. */
  readonly whenPersonEnds: WhenPersonEnds;
  readonly whenAppIsHandedOver: WhenAppIsHandedOver;
  stop(): void;
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { runtime, catalog, identity, starting, logger } = options;
  const intervals = { ...defaultIntervals, ...options.intervals };
  const limits = { ...defaultLimits, ...options.limits };
  const now = options.now ?? Date.now;
  const instances = createInstances({ runtime, logger, now, progressIntervalMs: intervals.progressMs });
  const secrets = createSecretsOfInstances({ secrets: options.secrets, identity });
  const service = createInstanceService({
    runtime,
    catalog,
    identity,
    instances,
    starting,
    secrets,
    template: {
      publicUrl: options.publicUrl,
      issuer: options.issuer,
      masterKey: options.masterKey,
      launcher: options.launcher,
      installer: options.installer,
      network: options.network,
      runtimeVersions: options.runtimeVersions,
      defaultMemoryLimit: limits.defaultMemoryLimit,
    },
    limits,
    suspendAfter: options.suspendAfter ?? defaultSuspendAfter,
    now,
    logger,
  });
  const context: RouteContext = {
    service,
    belongings: createBelongings({
      instances,
      identity,
      catalog,
      handOver: service.handOver,
      logger,
    }),
    instances,
    launcher: createLauncherService({ find: service.find, catalog, identity, secrets }),
    runtime,
    identity,
    masterKey: options.masterKey,
    environment: environmentOf(options),
    isolationInfo: options.isolationInfo ?? (() => runtime.capabilities()),
    iconsOf: (appIds) => iconsOf(catalog, appIds, logger),
    ...intervals,
  };
  const sweepClients = createClientSweep({
    ...{ runtime, identity, starting, now, logger },
    goneForMs: options.othersStart === true ? longestStartMs : 0,
  });
  const reconcile = async () => {
    const steps = await Promise.allSettled([sweepClients(), service.pauseOwnerless(), service.followApps()]);
    for (const step of steps) if (step.status === 'rejected') throw step.reason;
  };
  let sweepingAgain: NodeJS.Timeout | undefined;
  const sweepQuietly = () =>
    void reconcile().catch((error: unknown) => {
      logger.warn(`What was left undone could not be done now (${messageOf(error)}); trying again soon.`);
      // A platform that has just started may be there before those it asks.
      clearTimeout(sweepingAgain);
      sweepingAgain = setTimeout(sweepQuietly, intervals.sweepAgainMs).unref();
    });
  sweepQuietly();
  const sweeping = setInterval(sweepQuietly, intervals.sweepMs).unref();
  const pauseQuietly = () =>
    void service
      .pauseDue()
      .catch((error: unknown) =>
        logger.warn(`Instances that are due could not be paused (${messageOf(error)}); trying again later.`),
      );
  const pausing = setInterval(pauseQuietly, intervals.pauseMs).unref();
  const lookAtOwners = () =>
    void service
      .pauseOwnerless()
      .catch((error: unknown) =>
        logger.warn(`Owners of instances could not be looked at (${messageOf(error)}); trying again later.`),
      );
  const lookingAtOwners = setInterval(lookAtOwners, intervals.ownersMs).unref();

  return {
    register: (server) => registerRoutes(server, context),
    client: {
      async *watchRoutes(signal): AsyncGenerator<RouteEvent> {
        for await (const line of routeLines(instances, { signal, pingMs: intervals.routePingMs }))
          if (line.type !== 'PING') yield line;
      },
    },
    reconcile,
    readdress: service.readdress,
    pauseDue: service.pauseDue,
    instancesOf: service.instancesOf,
    actsForOwner: async (instanceId, subject) => {
      const instance = await service.find(instanceId);
      return instance !== undefined && instance.owner.subject === subject && actsForItsOwner(instance);
    },
    whenPersonEnds: service.pauseOf,
    whenAppIsHandedOver: service.followApp,
    stop() {
      clearInterval(sweeping);
      clearTimeout(sweepingAgain);
      clearInterval(pausing);
      clearInterval(lookingAtOwners);
      instances.stop();
    },
  };
}

function registerRoutes(plain: HttpServer, context: RouteContext): void {
  const server = withTypes(plain);
  meRoute(server, context);
  runInstanceRoute(server, context);
  listInstancesRoute(server, context);
  appUsageRoute(server, context);
  belongingsRoutes(server, context);
  getInstanceRoute(server, context);
  changeInstanceRoute(server, context);
  pauseInstanceRoutes(server, context);
  redeployInstanceRoute(server, context);
  terminateInstanceRoute(server, context);
  visitAppRoute(server, context);
  instanceEventsRoute(server, context);
  instanceLogsRoute(server, context);
  launcherBundleRoute(server, context);
  launcherTokenRoute(server, context);
  launcherSecretsRoute(server, context);
  watchRoutesRoute(server, context);
}

const environmentOf = ({ publicUrl, issuer }: SchedulerOptions) => ({
  publicUrl,
  issuerUrl: issuer,
  platformClientId: wellKnownClients.platform,
  cliClientId: wellKnownClients.cli,
  tokenEndpoint: `${issuer}/protocol/openid-connect/token`,
});

/** Without the catalog's database instances are still listed, only without their pictures. */
async function iconsOf(catalog: CatalogClient, appIds: readonly string[], logger: Logger) {
  try {
    const apps = await catalog.getApps([...new Set(appIds)]);
    return new Map(apps.map((app) => [app.id, catalog.iconUrl(app)]));
  } catch (error) {
    logger.warn(`The icons of apps cannot be had now (${messageOf(error)}).`);
    return new Map<string, string | null>();
  }
}
