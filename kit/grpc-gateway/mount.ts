import { type ContextValues, createContextValues } from '@connectrpc/connect';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallAudit } from '../audit/call-audit.ts';
import { type Deed, enforceDeed } from '../auth/party-policy.ts';
import { forwardedAddressOf } from '../http/address.ts';
import { type HttpServer, principalOf } from '../http/server.ts';
import type { Logger } from '../logging.ts';
import { auditKey, isUntold, tellRefused } from './audited.ts';
import { createRoutes, httpMethods, type Routes } from './bindings.ts';
import { toRpcError } from './errors.ts';
import { addressed } from './query.ts';
import { answerRest, isBegun, refuse } from './rest.ts';
import { createRpc, type Rpc, refusalKey } from './rpc.ts';
import { addressKey, loggerKey, principalKey, type ServedService } from './service.ts';
import { readPath } from './template.ts';

export interface Mount {
  /** Where the services are, such as `/secure-store`. */
  readonly prefix: string;
  readonly services: readonly ServedService[];
  /** The least that any method asks of the kind of client; `serve` may ask for more. */
  readonly deed: Deed;
  readonly logger: Logger;
  /** Without one, nothing that methods do is recorded. */
  readonly audit?: CallAudit;
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
    ...{ services, logger, bodyLimit, overHttp2: false, audit: mount.audit },
    admit: (method, context) => {
      const principal = context.values.get(principalKey);
      if (principal !== undefined && method.deed !== undefined) enforceDeed(principal, method.deed);
    },
  });
  for (const { desc, methods } of services)
    for (const [name, method] of methods)
      if (isUntold(name, method)) server.auditGaps.push(`${desc.typeName}/${method.desc.name}`);
  server.refusalForms.set(prefix, refuseAs);
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read where it is known what it is. JSON is named, because what matches the star is looked at anew each time.
    scope.addContentTypeParser(['application/json', '*'], (_request, payload, done) => done(null, payload));
    scope.setErrorHandler(async (error, request, reply) => {
      const [path] = addressOf(request, prefix);
      const handler = handlerOf(rpc, routes, path, request);
      if (handler !== undefined && !reply.sent) return answerRpc(rpc, handler, request, reply, mount, error);
      if (!isBegun(request)) await tellUnread(routes, path, request, mount, error);
      return refuseAs(error, request, reply);
    });
    scope.route({
      method: [...httpMethods],
      url: `${prefix}/*`,
      config: { deed: mount.deed, counted: true, unaudited: 'each method says so itself' },
      schema: { hide: true },
      handler: (request, reply) => {
        const [path, query] = addressOf(request, prefix);
        const handler = handlerOf(rpc, routes, path, request);
        if (handler !== undefined) return answerRpc(rpc, handler, request, reply, mount);
        const principal = principalOf(request);
        const values = () => valuesOf(request, mount);
        return answerRest(routes, { path, query, bodyLimit, principal, values }, request, reply);
      },
    });
  });
  return routes;
}

/** Tells of a call by HTTP and JSON that was refused before its method had it, by as much of its message as the address holds. */
async function tellUnread(
  routes: Routes,
  raw: string,
  request: FastifyRequest,
  mount: Mount,
  error: unknown,
): Promise<void> {
  const path = readPath(raw);
  const found = path && routes.find(request.method, path);
  const what = found?.binding.method.audit;
  if (found === undefined || what === undefined) return;
  const { principal, headers } = request;
  await tellRefused(what, error, {
    ...{ audit: mount.audit, values: valuesOf(request, mount), principal, userAgent: headers['user-agent'] },
    resource: what.resource(addressed(found) as never),
  });
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
function handlerOf(rpc: Rpc, routes: Routes, path: string, request: FastifyRequest) {
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

const valuesOf = (request: FastifyRequest, { logger, audit }: Mount): ContextValues =>
  createContextValues()
    .set(principalKey, request.principal)
    .set(addressKey, forwardedAddressOf(request))
    .set(loggerKey, logger)
    .set(auditKey, audit);

function answerRpc(
  rpc: Rpc,
  handler: NonNullable<ReturnType<Rpc['handlerAt']>>,
  request: FastifyRequest,
  reply: FastifyReply,
  mount: Mount,
  refusal?: unknown,
): FastifyReply {
  const values = valuesOf(request, mount).set(refusalKey, refusal);
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.hijack();
  void rpc.answer(handler, request.raw, reply.raw, values);
  return reply;
}

function refuseAs(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toRpcError(thrown);
  reply.header('x-request-id', request.id);
  return refuse(error, reply);
}
