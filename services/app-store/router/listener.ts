import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import {
  type Exposure,
  listenOnAll,
  readTls,
  refusePlainBeyondLoopback,
  reloadTls,
} from '@haic/kit/http/listening.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { wantsWebSocket } from '@haic/kit/proxy/upgrade.ts';
import { answerUnreadable } from './unreadable.ts';

export interface ListenerOptions extends Exposure {
  readonly logger: Logger;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Listener {
  /** The port that it listens on. */
  listen(): Promise<{ port: number }>;
  /** Takes no new connections, lets requests under way finish for a while, then ends them. */
  close(): Promise<void>;
}

const strict = {
  insecureHTTPParser: false,
  requireHostHeader: true,
  maxHeaderSize: 32 * 1024,
  // Headers must come soon; a body may take as long as it moves (kit/proxy watches that).
  headersTimeout: 30_000,
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 10_000,
  noDelay: true,
  shouldUpgradeCallback: wantsWebSocket,
};

const graceMs = 5_000;

export function createListener(options: ListenerOptions): Listener {
  const { tls } = options;
  refusePlainBeyondLoopback(options);
  const upgraded = new Set<Duplex>();
  const servers = options.listen.map(() => createServer(options, upgraded));
  const stopReloading =
    tls === undefined ? () => {} : reloadTls(servers as HttpsServer[], tls, options.logger);

  return {
    listen: async () => ({ port: await listenOnAll(servers, options.listen, options.logger) }),
    close: async () => {
      stopReloading();
      await Promise.all(servers.map((server) => closeServer(server, upgraded)));
    },
  };
}

function createServer(options: ListenerOptions, upgraded: Set<Duplex>): Server {
  const server =
    options.tls === undefined
      ? createHttpServer(strict)
      : createHttpsServer({ ...strict, minVersion: 'TLSv1.2', ...readTls(options.tls) });
  server
    .on('request', options.onRequest)
    // The same: whether the body is wanted is known once the request was authorised.
    .on('checkContinue', options.onRequest)
    .on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgraded.add(socket);
      socket.on('error', () => {}).on('close', () => upgraded.delete(socket));
      options.onUpgrade(request, socket, head);
    });
  answerUnreadable(server);
  return server;
}

async function closeServer(server: Server, upgraded: ReadonlySet<Duplex>): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
