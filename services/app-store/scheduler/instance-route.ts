import type { RoutingMode, Visibility } from '../catalog/client.ts';

/** PENDING: accepted, nothing runs yet · STARTING: on its way, or ready once and not now · DEPLOYED: ready for people. */
export type InstanceStatus = 'PENDING' | 'STARTING' | 'DEPLOYED' | 'FAILED' | 'SUSPENDED' | 'TERMINATING';

export interface RouteEndpoint {
  readonly host: string;
  readonly port: number;
}

/** What the router needs to know of an instance. Equal routes mean equal behaviour: a change of anything here is an event. */
export interface InstanceRoute {
  readonly instanceId: string;
  readonly appId: string;
  readonly appTitle: string;
  /** Subject of the person whose instance it is. */
  readonly owner: string;
  readonly visibility: Visibility;
  readonly routingMode: RoutingMode;
  readonly oidc: boolean;
  readonly status: InstanceStatus;
  /** A CamelCase word, or empty. */
  readonly reason: string;
  /** The reason in plain words, or empty. */
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
  /** The launcher's own pages, shown until the status is DEPLOYED. Absent while nothing runs. */
  readonly statusEndpoint?: RouteEndpoint;
  /** Where traffic goes while the status is DEPLOYED. */
  readonly appEndpoint?: RouteEndpoint;
}

export type RouteEvent =
  /** All routes there are: the first event, and again after each reconnect. What is not in it is gone. */
  | { readonly type: 'SNAPSHOT'; readonly routes: readonly InstanceRoute[] }
  | { readonly type: 'SET'; readonly route: InstanceRoute }
  | { readonly type: 'REMOVE'; readonly instanceId: string };

/** A line of `GET /internal/routes`: an event, or the sign of life that tells a quiet stream from a dead one. */
export type RouteLine = RouteEvent | { readonly type: 'PING' };
