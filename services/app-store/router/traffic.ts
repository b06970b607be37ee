import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { traceAnswer } from '@haic/kit/telemetry/answering.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { RouterContext } from './context.ts';
import type { KnownHost } from './hosts.ts';
import type { RoutesTable } from './routes-table.ts';

/** Kinds of requests, as the edge counts them. */
export type TrafficClass =
  | 'app'
  | 'api'
  | 'services'
  | 'issuer'
  | 'sign-in'
  | 'portal'
  | 'stream'
  | 'unknown';

const signIn = /^\/(login|logout|session|oauth2|auth\/(?!realms\/))/;

export function trafficClassOf(
  head: RequestHead,
  host: KnownHost | undefined,
  accept: string | undefined,
  servicePrefixes: readonly string[],
): TrafficClass {
  if (host === undefined) return 'unknown';
  // A stream's time says how long somebody looked.
  if (accept?.includes('text/event-stream') === true) return 'stream';
  const { path } = head;
  if (host.kind === 'app' || path.startsWith('/instance/')) return 'app';
  if (path.startsWith('/api/services/') || servicePrefixes.some((prefix) => path.startsWith(`${prefix}/`)))
    return 'services';
  if (path.startsWith('/api/')) return 'api';
  if (path.startsWith('/auth/realms/')) return 'issuer';
  return signIn.test(path) ? 'sign-in' : 'portal';
}

/** Where nobody asks, this is nothing. */
export function observe(
  { meter, tracer, servicePrefixes }: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  host: KnownHost | undefined,
): void {
  if (meter === undefined && tracer === undefined) return;
  const trafficClass = trafficClassOf(head, host, request.headers.accept, servicePrefixes);
  meter?.answer(trafficClass, response);
  if (tracer !== undefined)
    traceAnswer(tracer, request, response, { name: `${request.method} ${trafficClass}` });
}

export function measureRoutes(meter: Meter | undefined, routes: Pick<RoutesTable, 'known' | 'size'>): void {
  meter?.gauge({
    name: 'haic_routes_known',
    help: 'Whether the scheduler has told which instances there are.',
    read: () => [{ value: routes.known ? 1 : 0 }],
  });
  meter?.gauge({
    name: 'haic_routes',
    help: 'Instances that the router leads to.',
    read: () => [{ value: routes.size }],
  });
}
