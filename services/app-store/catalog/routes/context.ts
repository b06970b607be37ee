import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyReply, HttpServer } from '@haic/kit/http/server.ts';
import type { BundleLimits } from '../bundle/limits.ts';
import type { AppView } from '../present.ts';
import type { CatalogService } from '../service.ts';

export interface RouteContext {
  readonly service: CatalogService;
  readonly limits: BundleLimits;
  readonly view: AppView;
}

export const withTypes = (server: HttpServer) => server.withTypeProvider<TypeBoxTypeProvider>();
export type CatalogServer = ReturnType<typeof withTypes>;

/** Aborts when the connection of the answer closes: finished, or because the caller went away. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort(new Error('The caller went away.')));
  return closed.signal;
}
