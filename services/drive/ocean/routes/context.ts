import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { RouteAudit } from '@haic/kit/audit/routes.ts';
import type { FastifyReply, HttpServer } from '@haic/kit/http/server.ts';
import type { OceanService } from '../service.ts';

export interface RouteContext {
  readonly service: OceanService;
  /** What a subject is called. */
  readonly nameOf: (subject: string) => Promise<string>;
}

export const withTypes = (server: HttpServer) => server.withTypeProvider<TypeBoxTypeProvider>();
export type OceanServer = ReturnType<typeof withTypes>;

/** What a route does to the bucket of its address, as the trail is told, with the workspace that the bucket is of. */
export const auditOf = (
  service: OceanService,
  action: string,
  more: Pick<RouteAudit, 'parameters' | 'readOnly'> = {},
): RouteAudit => ({
  ...{ action, resource: '//drive/buckets/{bucket}', ...more },
  workspaceOf: (caller, { bucket }) => service.workspaceOf(caller, bucket),
});

/** Aborts when the connection of the answer closes, and after a minute. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort(new Error('The caller went away.')));
  return AbortSignal.any([closed.signal, AbortSignal.timeout(60_000)]);
}

/** Of what is begun once the caller may have gone. */
export const ownSignal = (): AbortSignal => AbortSignal.timeout(5 * 60_000);
