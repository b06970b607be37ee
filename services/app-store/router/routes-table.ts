import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { createUpstream, type Upstream } from '@haic/kit/proxy/upstream.ts';
import type {
  InstanceRoute,
  RouteEndpoint,
  SchedulerClient,
} from '@haic/services/app-store/scheduler/client.ts';
import type { LiveConnections } from './live-connections.ts';

/** The routes as the scheduler last told them, and the connections to what they lead to. */
export interface RoutesTable {
  /** False until the first routes arrived: then an unknown instance is not yet a missing one. */
  readonly known: boolean;
  readonly size: number;
  get(instanceId: string): InstanceRoute | undefined;
  upstreamOf(route: InstanceRoute, which: 'app' | 'status'): Upstream | undefined;
  /** Resolves when the first routes are there. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

interface Entry {
  route: InstanceRoute;
  app: Upstream | undefined;
  status: Upstream | undefined;
}

/** Keeps the routes it has while the scheduler is away: what runs goes on. */
export function watchRoutesTable(options: {
  scheduler: SchedulerClient;
  live: LiveConnections;
  logger: Logger;
}): RoutesTable {
  const { live, logger } = options;
  const entries = new Map<string, Entry>();
  const watching = new AbortController();
  const ready = Promise.withResolvers<void>();
  let known = false;

  const set = (route: InstanceRoute) => {
    const entry = entries.get(route.instanceId);
    if (entry === undefined) {
      entries.set(route.instanceId, { route, app: undefined, status: undefined });
      return;
    }
    const before = entry.route;
    entry.route = route;
    if (!sameEndpoint(before.appEndpoint, route.appEndpoint)) {
      retire(entry.app);
      entry.app = undefined;
    }
    if (!sameEndpoint(before.statusEndpoint, route.statusEndpoint)) {
      retire(entry.status);
      entry.status = undefined;
    }
    if (before.visibility !== route.visibility || before.owner !== route.owner)
      live.recheckInstance(route.instanceId);
  };

  const remove = (instanceId: string) => {
    const entry = entries.get(instanceId);
    entries.delete(instanceId);
    live.endInstance(instanceId);
    for (const upstream of [entry?.app, entry?.status])
      upstream?.destroy().catch((error) => logger.warn(`A connection did not end: ${messageOf(error)}`));
  };

  const watch = async () => {
    for await (const event of options.scheduler.watchRoutes(watching.signal)) {
      if (event.type === 'SET') set(event.route);
      else if (event.type === 'REMOVE') remove(event.instanceId);
      else {
        const present = new Set(event.routes.map((route) => route.instanceId));
        for (const id of [...entries.keys()]) if (!present.has(id)) remove(id);
        for (const route of event.routes) set(route);
        known = true;
        ready.resolve();
      }
    }
  };
  const watched = watch().catch((error) => logger.error({ err: error }, 'The routes are no longer watched.'));

  return {
    get known() {
      return known;
    },
    get size() {
      return entries.size;
    },
    ready: ready.promise,
    get: (instanceId) => entries.get(instanceId)?.route,
    upstreamOf: (route, which) => {
      const entry = entries.get(route.instanceId);
      const endpoint = which === 'app' ? entry?.route.appEndpoint : entry?.route.statusEndpoint;
      if (entry === undefined || endpoint === undefined) return undefined;
      entry[which] ??= createUpstream(endpoint);
      return entry[which];
    },
    close: async () => {
      watching.abort();
      await watched;
      await Promise.all([...entries.values()].flatMap((e) => [e.app?.destroy(), e.status?.destroy()]));
    },
  };
}

const sameEndpoint = (a: RouteEndpoint | undefined, b: RouteEndpoint | undefined): boolean =>
  a?.host === b?.host && a?.port === b?.port;

/** Requests under way through the old address may finish. */
function retire(upstream: Upstream | undefined): void {
  upstream?.close().catch(() => {});
}
