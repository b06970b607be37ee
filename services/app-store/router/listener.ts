import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { wantsWebSocket } from '@haic/kit/proxy/upgrade.ts';
import { isLoopback } from './loopback.ts';

export interface ListenerOptions {
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  readonly tlsTerminatedUpstream?: boolean;
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

/** How often the certificate's files are looked at: a watch would miss the renames of mounted secrets. */
const tlsCheckMs = 10_000;
const graceMs = 5_000;

export function createListener(options: ListenerOptions): Listener {
  const { tls } = options;
  const open = options.listen.filter(({ host }) => !isLoopback(host));
  if (open.length > 0 && tls === undefined && options.tlsTerminatedUpstream !== true)
    throw new Error(
      `Haic does not listen on ${open.map(({ host }) => host).join(', ')} without TLS: passwords and tokens would be ` +
        'readable on the network. Give --tls-cert and --tls-key, or say that TLS ends in front of Haic.',
    );
  const upgraded = new Set<Duplex>();
  const servers = options.listen.map(() => createServer(options, upgraded));
  const stopReloading =
    tls === undefined ? () => {} : reloadTls(servers as HttpsServer[], tls, options.logger);

  return {
    listen: async () => {
      let port = 0;
      for (const [index, server] of servers.entries()) {
        const address = options.listen[index];
        if (address === undefined) continue;
        // Port 0 is for tests: all addresses share the one that the first was given.
        const wanted = address.port === 0 ? port : address.port;
        if (await startListening(server, { host: address.host, port: wanted }, options.logger))
          port ||= (server.address() as AddressInfo).port;
      }
      if (port === 0) throw new Error('None of the addresses to listen on exists on this machine.');
      return { port };
    },
    close: async () => {
      stopReloading();
      await Promise.all(servers.map((server) => closeServer(server, upgraded)));
    },
  };
}

/** False when the machine has no such address, which is usual for ::1 in containers. */
async function startListening(
  server: Server,
  address: { host: string; port: number },
  logger: Logger,
): Promise<boolean> {
  server.listen({ ...address, backlog: 1024 });
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE')
      throw new Error(`Port ${address.port} of ${address.host} is taken by another program.`, {
        cause: error,
      });
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error;
    logger.warn(`${address.host} does not exist on this machine; not listening there.`);
    return false;
  }
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
  return server;
}

function readTls(tls: { certificateFile: string; keyFile: string }) {
  return { cert: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
}

function reloadTls(
  servers: readonly HttpsServer[],
  tls: { certificateFile: string; keyFile: string },
  logger: Logger,
): () => void {
  let current = readTls(tls);
  const timer = setInterval(() => {
    try {
      const next = readTls(tls);
      if (next.cert.equals(current.cert) && next.key.equals(current.key)) return;
      for (const server of servers) server.setSecureContext({ minVersion: 'TLSv1.2', ...next });
      current = next;
      logger.info('The TLS certificate changed and is in use.');
    } catch (error) {
      // Half written, or gone for a moment: the old one serves on.
      logger.warn(`The TLS certificate could not be read again: ${messageOf(error)}`);
    }
  }, tlsCheckMs);
  timer.unref();
  return () => clearInterval(timer);
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
