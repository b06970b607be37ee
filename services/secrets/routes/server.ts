import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { addressOf } from '@haic/kit/http/address.ts';
import { type FastifyRequest, type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import type { Caller } from '../caller.ts';

export const withTypes = (server: HttpServer) => server.withTypeProvider<TypeBoxTypeProvider>();
export type SecretsServer = ReturnType<typeof withTypes>;

/** Who asks by a route of `/api/v1`. */
export function callerOf(request: FastifyRequest): Caller {
  const userAgent = request.headers['user-agent']?.slice(0, 300);
  return {
    principal: principalOf(request),
    sourceIpAddress: addressOf(request),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}
