import { createContextValues } from '@connectrpc/connect';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Deed, enforceDeed } from '../auth/party-policy.ts';
import { type HttpServer, principalOf } from '../http/server.ts';
import type { Logger } from '../logging.ts';
import { createRoutes, httpMethods, type Routes } from './bindings.ts';
import { toRpcError } from './errors.ts';
import { answerRest, refuse } from './rest.ts';
import { createRpc, type Rpc, refusalKey } from './rpc.ts';
import { loggerKey, principalKey, type ServedMethod, type ServedService } from './service.ts';
import { readPath } from './template.ts';

export interface Mount {
  /** Where the services are, such as `/secure-store`. */
  readonly prefix: string;
  readonly services: readonly ServedService[];
  /** The least that any method asks of the kind of client; `serve` may ask for more. */
  readonly deed: Deed;
  readonly logger: Logger;
  /** Bytes; 4 MiB, as gRPC has it. */
  readonly bodyLimit?: number;
}

export const usualBodyLimit = 4 * 1024 * 1024;

/**
 * Serves protobuf services on an HTTP server of ours, under a prefix: HTTP and JSON by their annotations, gRPC-Web and Connect. Bearer tokens are
 * verified before anything is read, as for every other route. gRPC itself needs HTTP/2, so it has a listener of its own (`grpc-server.ts`).
 */
export async function mountGateway(server: HttpServer, mount: Mount): Promise<Routes> {
  const { prefix, services, logger, bodyLimit = usualBodyLimit } = mount;
  const routes = createRoutes(services);
  const rpc = createRpc({
    ...{ services, logger, bodyLimit, overHttp2: false },
    admit: (method, context) => {
      const principal = context.values.get(principalKey);
      if (principal !== undefined && method.deed !== undefined) enforceDeed(principal, method.deed);
    },
  });
  server.refusalForms.set(prefix, refuseAs);
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read where it is known what it is.
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.setErrorHandler((error, request, reply) => {
      const handler = handlerOf(rpc, routes, prefix, request);
      if (handler === undefined || reply.sent) return refuseAs(error, request, reply);
      return answerRpc(rpc, handler, request, reply, logger, error);
    });
    scope.route({
      method: [...httpMethods],
      url: `${prefix}/*`,
      config: { deed: mount.deed },
      schema: { hide: true },
      handler: async (request, reply) => {
        const handler = handlerOf(rpc, routes, prefix, request);
        if (handler !== undefined) return answerRpc(rpc, handler, request, reply, logger);
        const principal = principalOf(request);
        const [path, query] = addressOf(request, prefix);
        const values = createContextValues().set(principalKey, principal).set(loggerKey, logger);
        const allow = ({ deed }: ServedMethod) => {
          if (deed !== undefined) enforceDeed(principal, deed);
        };
        return answerRest(routes, { path, query, values, bodyLimit }, request, reply, allow);
      },
    });
  });
  return routes;
}

function addressOf(request: FastifyRequest, prefix: string): [path: string, query: string] {
  const at = request.url.indexOf('?');
  const path = at === -1 ? request.url : request.url.slice(0, at);
  // The router has found the prefix, however it was encoded.
  const rest = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : `/${wildcardOf(request)}`;
  return [rest, at === -1 ? '' : request.url.slice(at + 1)];
}

function wildcardOf(request: FastifyRequest): string {
  const rest = (request.params as { '*'?: string })['*'] ?? '';
  // It was decoded once already.
  return encodeURI(rest);
}

const rpcTypes = /^application\/(grpc-web|connect\+|proto\b)/i;

/**
 * What answers a remote procedure call; undefined for a call by HTTP and JSON. Some contracts have JSON at the very addresses of procedures, so
 * `application/json` is a procedure call only when it says so, or when nothing else has the address.
 */
function handlerOf(rpc: Rpc, routes: Routes, prefix: string, request: FastifyRequest) {
  const [path] = addressOf(request, prefix);
  const handler = rpc.handlerAt(path);
  if (handler === undefined) return undefined;
  const { 'content-type': type = '', 'connect-protocol-version': version } = request.headers;
  const isRpc = version !== undefined || rpcTypes.test(type);
  return isRpc || !hasAddress(routes, request.method, path) ? handler : undefined;
}

function hasAddress(routes: Routes, method: string, raw: string): boolean {
  const path = readPath(raw);
  return path !== undefined && routes.find(method, path) !== undefined;
}

function answerRpc(
  rpc: Rpc,
  handler: NonNullable<ReturnType<Rpc['handlerAt']>>,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  refusal?: unknown,
): FastifyReply {
  const values = createContextValues()
    .set(principalKey, request.principal)
    .set(loggerKey, logger)
    .set(refusalKey, refusal);
  reply.hijack();
  void rpc.answer(handler, request.raw, reply.raw, values);
  return reply;
}

function refuseAs(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toRpcError(thrown);
  reply.header('x-request-id', request.id);
  return refuse(error, reply);
}
