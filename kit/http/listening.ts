import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIP, type Server } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging.ts';

/** What every listener of Haic that people may reach has in common, whichever protocol it speaks. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** PEM files; read again when they change. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Exposure {
  readonly listen: readonly Address[];
  readonly tls?: TlsFiles;
  /** Something in front ends TLS (and sets X-Forwarded-For): then a plain listener may be on any address. */
  readonly tlsTerminatedUpstream?: boolean;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

export function refusePlainBeyondLoopback({ listen, tls, tlsTerminatedUpstream }: Exposure): void {
  const open = listen.filter(({ host }) => !isLoopback(host));
  if (open.length === 0 || tls !== undefined || tlsTerminatedUpstream === true) return;
  throw new Error(
    `Haic does not listen on ${open.map(({ host }) => host).join(', ')} without TLS: passwords and tokens would be ` +
      'readable on the network. Give --tls-cert and --tls-key, or say that TLS ends in front of Haic.',
  );
}

/** False when the machine has no such address, which is usual for ::1 in containers. */
export async function startListening(server: Server, address: Address, logger: Logger): Promise<boolean> {
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

/**
 * Listens on all addresses that this machine has, and resolves with the port. Port 0 is for tests: all addresses share the one that the first
 * was given.
 */
export async function listenOnAll(
  servers: readonly Server[],
  addresses: readonly Address[],
  logger: Logger,
): Promise<number> {
  let port = 0;
  for (const [index, server] of servers.entries()) {
    const address = addresses[index];
    if (address === undefined) continue;
    const wanted = address.port === 0 ? port : address.port;
    if (!(await startListening(server, { host: address.host, port: wanted }, logger))) continue;
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) port ||= bound.port;
  }
  if (port === 0) throw new Error('None of the addresses to listen on exists on this machine.');
  return port;
}

export function readTls(tls: TlsFiles): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
}

/** How often the certificate's files are looked at: a watch would miss the renames of mounted secrets. */
const tlsCheckMs = 10_000;

/** New connections get a certificate that was renewed. Returns what ends the looking. */
export function reloadTls(servers: readonly TlsServer[], tls: TlsFiles, logger: Logger): () => void {
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
