import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { DescService } from '@bufbuild/protobuf';
import { createContextKey, createContextValues } from '@connectrpc/connect';
import type { CallAudit } from '../audit/call-audit.ts';
import { type Deed, enforceDeed } from '../auth/party-policy.ts';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { unauthenticated } from '../errors.ts';
import {
  type Exposure,
  listenOnAll,
  readTls,
  refusePlainBeyondLoopback,
  reloadTls,
} from '../http/listening.ts';
import type { RateLimiter } from '../http/rate-limit.ts';
import type { Logger } from '../logging.ts';
import { auditKey } from './audited.ts';
import { createHealth } from './health.ts';
import { type Mount, usualBodyLimit } from './mount.ts';
import { createReflection } from './reflection.ts';
import { createRpc, type Rpc } from './rpc.ts';
import { loggerKey, principalKey } from './service.ts';

/** The address of the connection. */
const peerKey = createContextKey('local', { description: 'peer' });

export interface GrpcServer {
  /** Resolves with the port. */
  readonly listen: () => Promise<number>;
  /** Takes no new calls, and ends what is being answered after `graceMs`. */
  readonly close: (graceMs?: number) => Promise<void>;
}

export interface GrpcOptions extends Exposure {
  /** Each asks of a client what its mount asks for, and a method what `serve` does. */
  readonly mounts: readonly Pick<Mount, 'services' | 'deed'>[];
  readonly verifyToken: TokenVerifier;
  readonly logger: Logger;
  /** Without one, nothing that methods do is recorded. */
  readonly audit?: CallAudit;
  readonly bodyLimit?: number;
  /** Without limits by default. */
  readonly rateLimiter?: RateLimiter;
}

/**
 * gRPC over HTTP/2, in clear text (h2c) or with TLS, with grpc.health.v1 and grpc.reflection for what it carries. Every call carries `authorization: Bearer …`, which is verified before its message is read.
 * Why this is a listener of its own: docs/adr/0009-grpc-has-its-own-listener.md.
 */
export function createGrpcServer(options: GrpcOptions): GrpcServer {
  refusePlainBeyondLoopback(options);
  const { logger, verifyToken, tls, bodyLimit = usualBodyLimit } = options;
  const carried = options.mounts.flatMap(({ services }) => services);
  const health = createHealth(carried);
  const own = [health.service, ...createReflection([health.service, ...carried])];
  const mounts = [...options.mounts, { services: own, deed: 'see what is served' as const }];
  const deeds = new Map<DescService, Deed>();
  for (const { services, deed } of mounts) for (const { desc } of services) deeds.set(desc, deed);
  const stopping = new AbortController();
  const rpc = createRpc({
    services: mounts.flatMap(({ services }) => services),
    ...{ logger, bodyLimit, overHttp2: true, audit: options.audit, stopping: stopping.signal },
    admit: async (method, context) => {
      const { values, requestHeader } = context;
      values.set(loggerKey, logger).set(auditKey, options.audit);
      try {
        const token = /^Bearer ([^\s]+)$/i.exec(requestHeader.get('authorization') ?? '')?.[1];
        if (token === undefined)
          throw unauthenticated('This call needs an access token: authorization: Bearer <token>.');
        const principal = await verifyToken(token);
        values.set(principalKey, principal);
        const deed = deeds.get(method.desc.parent);
        if (deed !== undefined) enforceDeed(principal, deed);
        if (method.deed !== undefined) enforceDeed(principal, method.deed);
      } finally {
        // Also, by their address, of those who are refused.
        options.rateLimiter?.countCall(values.get(principalKey), values.get(peerKey));
      }
    },
  });
  const sessions = new Set<ServerHttp2Session>();
  const servers = options.listen.map(() => createHttp2Server(rpc, sessions, tls, logger));
  const stopReloading = tls === undefined ? () => {} : reloadTls(servers.filter(isSecure), tls, logger);
  return {
    listen: () => listenOnAll(servers, options.listen, logger),
    close: async (graceMs = 2000) => {
      stopReloading();
      health.stop();
      const closed = servers
        .filter(({ listening }) => listening)
        .map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        stopping.abort();
        for (const session of sessions) session.destroy();
      }, graceMs);
      await Promise.all(closed);
      clearTimeout(timer);
    },
  };
}

const settings = { settings: { maxConcurrentStreams: 100, maxHeaderListSize: 16 * 1024 } };

const isSecure = (server: Http2Server | Http2SecureServer): server is Http2SecureServer =>
  'setSecureContext' in server;

function createHttp2Server(
  rpc: Rpc,
  sessions: Set<ServerHttp2Session>,
  tls: GrpcOptions['tls'],
  logger: Logger,
): Http2Server | Http2SecureServer {
  const answer = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const handler = rpc.handlerAt(request.url.split('?')[0] ?? '');
    if (handler === undefined) return refuseUnknown(request, response);
    const values = createContextValues().set(peerKey, request.socket.remoteAddress ?? 'local');
    void rpc.answer(handler, request, response, values);
  };
  const server: Http2Server | Http2SecureServer =
    tls === undefined
      ? createServer(settings, answer)
      : createSecureServer({ ...settings, ...readTls(tls), minVersion: 'TLSv1.2' }, answer);
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A connection that breaks ends its calls by itself.
    session.on('error', () => {});
  });
  server.on('error', (error) => logger.warn({ err: error }, 'The gRPC listener has a problem.'));
  // Connections that never become one of HTTP/2 (a browser, a scan) end by themselves, too.
  server.on('sessionError', (error) => logger.debug({ err: error }, 'A gRPC connection has ended.'));
  return server;
}

/** As gRPC over HTTP/2 has it: no message, the status in headers that are the end of the stream. */
function refuseUnknown(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const isGrpc = /^application\/grpc/.test(request.headers['content-type'] ?? '');
  const headers = isGrpc
    ? {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': '12',
        'grpc-message': 'This method is not served.',
      }
    : { ':status': 404 };
  response.stream.respond(headers, { endStream: true });
}
