import { Code, ConnectError } from '@connectrpc/connect';
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
} from './gen/grpc/health/v1/health_pb.js';
import { type ServedService, serve } from './service.ts';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

export interface HealthService {
  readonly service: ServedService;
  /** Tells who watches that the server goes away, and ends their streams. */
  readonly stop: () => void;
}

/** grpc.health.v1 for a server with these services: all of them serve from its start until it stops. */
export function createHealth(services: readonly ServedService[]): HealthService {
  const names = new Set(['', Health.typeName, ...services.map(({ desc }) => desc.typeName)]);
  const stopping = new AbortController();
  const statusOf = (name: string) => {
    if (!names.has(name)) return SERVICE_UNKNOWN;
    return stopping.signal.aborted ? NOT_SERVING : SERVING;
  };
  const service = serve(Health, {
    check: ({ service: name }) => {
      if (!names.has(name)) throw new ConnectError('This service is not served here.', Code.NotFound);
      return { status: statusOf(name) };
    },
    list: () => ({
      statuses: Object.fromEntries([...names].map((name) => [name, { status: statusOf(name) }])),
    }),
    async *watch({ service: name }, { signal }): AsyncGenerator<Pick<HealthCheckResponse, 'status'>> {
      yield { status: statusOf(name) };
      if (!stopping.signal.aborted) await ended(AbortSignal.any([signal, stopping.signal]));
      if (names.has(name) && !signal.aborted) yield { status: statusOf(name) };
    },
  });
  return { service, stop: () => stopping.abort() };
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
