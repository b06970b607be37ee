import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import {
  type Exposure,
  listenOnAll,
  readTls,
  refusePlainBeyondLoopback,
  reloadTls,
} from '@haic/kit/http/listening.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Patience } from './deadline.ts';

const strict = {
  insecureHTTPParser: false,
  requireHostHeader: true,
  /** A session token has room in it, also when it is in the address. */
  maxHeaderSize: 64 * 1024,
  /** Bodies have deadlines of their own, by their size (deadline.ts). */
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  noDelay: true,
  /** Fewer and larger pieces of a body: each costs a turn of the event loop. */
  highWaterMark: 256 * 1024,
};

const graceMs = 10_000;

export interface DriveListener {
  listen(): Promise<{ port: number }>;
  /** Takes no new connections, lets requests under way finish for a while, then ends them. */
  close(): Promise<void>;
}

export function createDriveListener(
  options: Exposure & {
    readonly logger: Logger;
    readonly patience: Patience;
    readonly handle: (message: IncomingMessage, response: ServerResponse) => void;
  },
): DriveListener {
  const { tls, patience } = options;
  const settings = {
    ...strict,
    headersTimeout: patience.headMs,
    connectionsCheckingInterval: patience.headMs / 3,
  };
  refusePlainBeyondLoopback(options);
  const servers = options.listen.map(() => {
    const server: Server =
      tls === undefined
        ? createHttpServer(settings)
        : createHttpsServer({ ...settings, minVersion: 'TLSv1.2', ...readTls(tls) });
    // Whether the body is wanted is known once the request was authorised, and only then it is asked for.
    return server
      .on('request', options.handle)
      .on('checkContinue', options.handle)
      .setTimeout(patience.idleMs);
  });
  const stopReloading =
    tls === undefined ? () => {} : reloadTls(servers as HttpsServer[], tls, options.logger);
  return {
    listen: async () => ({ port: await listenOnAll(servers, options.listen, options.logger) }),
    close: async () => {
      stopReloading();
      await Promise.all(servers.map(closeServer));
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
