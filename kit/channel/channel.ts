import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, OnReadOpts } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Logger } from '../logging.ts';

/**
 * Connections between Haic's own processes over a network: TLS 1.3 with a pre-shared key (RFC 8446 §2.2, with forward secrecy), so that each side
 * proves that it holds the key before a byte of HTTP is spoken. Certificates would have to be issued, distributed and renewed to say the same.
 */
export interface ChannelKey {
  /** Who connects. */
  readonly identity: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The other end of a channel. */
export interface ChannelTarget {
  readonly host: string;
  readonly port: number;
  readonly channel: ChannelKey;
}

/** The one suite that Node's pre-shared keys work with in TLS 1.3. */
const only = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
} as const;
const handshakeTimeoutMs = 10_000;

export interface ChannelOptions {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
  readonly allowHalfOpen?: boolean;
  readonly timeout?: number;
  readonly onread?: OnReadOpts;
}

/** `secureConnect` is told once the other side has proved itself, `error` when it cannot. */
export function openChannel(target: ChannelTarget, options: ChannelOptions = {}): TLSSocket {
  const { identity, key } = target.channel;
  return connect({
    ...options,
    ...only,
    host: target.host,
    port: target.port,
    pskCallback: () => ({ identity, psk: key }),
    // There is no certificate to compare a name with.
    checkServerIdentity: () => undefined,
  });
}

export interface ChannelListener {
  readonly port: number;
  /** Takes no new connections and ends those that there are. */
  close(): Promise<void>;
}

/** Gives the server the connections of who proves to hold one of the keys; everybody else gets no more than a refused handshake. */
export async function listenOnChannel(options: {
  readonly server: HttpServer;
  readonly host: string;
  readonly port: number;
  readonly keys: readonly ChannelKey[];
  readonly logger: Logger;
}): Promise<ChannelListener> {
  const { server, keys, logger } = options;
  const known = new Map(keys.map(({ identity, key }) => [identity, key]));
  const open = new Set<TLSSocket>();
  const listener = createServer({
    ...only,
    handshakeTimeout: handshakeTimeoutMs,
    pskCallback: (_socket, identity) => known.get(identity) ?? null,
  })
    .on('secureConnection', (socket) => {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
      server.emit('connection', socket);
    })
    .on('tlsClientError', (error, socket) => {
      logger.warn(
        { address: socket.remoteAddress, err: error },
        'Somebody who does not hold the key tried to connect.',
      );
      socket.destroy();
    });
  listener.listen(options.port, options.host);
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    close: async () => {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
