import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createContextValues } from '@connectrpc/connect';
import { type Deed, enforceDeed } from '../auth/party-policy.ts';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { unauthenticated } from '../errors.ts';
import type { Logger } from '../logging.ts';
import { usualBodyLimit } from './mount.ts';
import { createRpc } from './rpc.ts';
import { loggerKey, principalKey, type ServedService } from './service.ts';

export interface GrpcServer {
  /** Resolves with the port. */
  readonly listen: (port: number, host: string) => Promise<number>;
  /** Ends what is being answered after `graceMs`. */
  readonly close: (graceMs?: number) => Promise<void>;
}

/**
 * gRPC over HTTP/2, in clear text (h2c) or with TLS. Every call carries `authorization: Bearer …`, which is verified before its message is read.
 * Why this is a listener of its own: docs/adr/0009-grpc-has-its-own-listener.md.
 */
export function createGrpcServer(options: {
  readonly services: readonly ServedService[];
  readonly verifyToken: TokenVerifier;
  readonly deed: Deed;
  readonly logger: Logger;
  readonly bodyLimit?: number;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
}): GrpcServer {
  const { services, logger, deed, verifyToken, bodyLimit = usualBodyLimit } = options;
  const stopping = new AbortController();
  const rpc = createRpc({
    ...{ services, logger, bodyLimit, overHttp2: true, stopping: stopping.signal },
    admit: async (method, context) => {
      const token = /^Bearer ([^\s]+)$/i.exec(context.requestHeader.get('authorization') ?? '')?.[1];
      if (token === undefined)
        throw unauthenticated('This call needs an access token: authorization: Bearer <token>.');
      const principal = await verifyToken(token);
      enforceDeed(principal, deed);
      if (method.deed !== undefined) enforceDeed(principal, method.deed);
      context.values.set(principalKey, principal).set(loggerKey, logger);
    },
  });
  const answer = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const handler = rpc.handlerAt(request.url.split('?')[0] ?? '');
    if (handler === undefined) return refuseUnknown(request, response);
    void rpc.answer(handler, request, response, createContextValues());
  };
  const settings = { settings: { maxConcurrentStreams: 100, maxHeaderListSize: 16 * 1024 } };
  const server: Http2Server | Http2SecureServer =
    options.tls === undefined
      ? createServer(settings, answer)
      : createSecureServer({ ...settings, ...options.tls, minVersion: 'TLSv1.2' }, answer);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A connection that breaks ends its calls by itself.
    session.on('error', () => {});
  });
  server.on('error', (error) => logger.warn({ err: error }, 'The gRPC listener has a problem.'));
  return {
    listen: (port, host) => listen(server, port, host),
    close: async (graceMs = 2000) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        stopping.abort();
        for (const session of sessions) session.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listen(server: Http2Server | Http2SecureServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // A server that listens on a port has an address with one.
      resolve((server.address() as AddressInfo).port);
    });
  });
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
