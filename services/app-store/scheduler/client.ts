import type { RouteEvent } from './instance-route.ts';
import { type RouteSource, watchRoutesOverHttp } from './watch-routes.ts';

export type {
  InstanceRoute,
  InstanceStatus,
  RouteEndpoint,
  RouteEvent,
  RouteLine,
} from './instance-route.ts';

export { mayOpen, type OpenDecision, type Visitor } from './may-open.ts';
export { hasFullAccess, isAdmin } from './roles.ts';
export { type RuntimeVersion, singlePythonVersions } from './runtime-versions.ts';

export interface SchedulerClient {
  /**
   * Goes on until the signal aborts and then ends without an error. While the scheduler cannot be reached nothing is yielded:
   * keep the routes you have, since apps outlive the platform; a SNAPSHOT follows as soon as it answers again.
   */
  watchRoutes(signal: AbortSignal): AsyncIterable<RouteEvent>;
}

export type HttpSchedulerClientOptions = RouteSource;

export const createHttpSchedulerClient = (options: HttpSchedulerClientOptions): SchedulerClient => ({
  watchRoutes: (signal) => watchRoutesOverHttp(options, signal),
});
