import { Socket } from 'node:net';
import { buildConnector, Pool } from 'undici';

/** Where requests go: a TCP address or a Unix socket. */
export type Target = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface UpstreamOptions {
  /** How long the other side may take until its response begins. Bodies have no limit: they may stream for days. */
  readonly headersTimeoutMs?: number;
}

/** Keep-alive connections to one target. They are the target's own, so they end with its route. */
export interface Upstream {
  readonly target: Target;
  readonly pool: Pool;
  /** Lets requests under way finish. */
  close(): Promise<void>;
  /** Ends requests under way, too. */
  destroy(): Promise<void>;
}

const defaultHeadersTimeoutMs = 300_000;
/**
 * Shorter than the 5 s after which uvicorn, the server of most apps, closes an idle connection: else a request could be written
 * into a connection that is just being closed.
 */
const keepAliveMs = 4_000;

export function createUpstream(target: Target, options: UpstreamOptions = {}): Upstream {
  const socketPath = 'socketPath' in target ? target.socketPath : undefined;
  const host = 'host' in target && target.host.includes(':') ? `[${target.host}]` : undefined;
  const origin = 'host' in target ? `http://${host ?? target.host}:${target.port}` : 'http://localhost';
  const pool = new Pool(origin, {
    // One connection a request: pipelining, or a limit, would let a slow answer or an open stream hold up others.
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: options.headersTimeoutMs ?? defaultHeadersTimeoutMs,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 64 * 1024,
    connect: connector(socketPath),
  });
  return {
    target,
    pool,
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

function connector(socketPath: string | undefined): buildConnector.connector {
  // A WebSocket's two directions end separately (half-close).
  const options = { allowHalfOpen: true, timeout: 5_000, allowH2: false };
  const connect = buildConnector(socketPath === undefined ? options : { ...options, socketPath });
  return (to, done) =>
    connect(to, (...result) => {
      if (result[0] === null) readOnAfterFailedWrites(result[1]);
      done(...result);
    });
}

/** So long may an answer still come when a request could not be written to its end. */
const lastWordsMs = 2_000;

/**
 * A server that refuses a body early answers and closes, so that writing the rest fails while its answer waits to be read. Node ends
 * a socket whose write failed; here the writing side alone is over, and what can still be read decides (RFC 9112 §9.6).
 */
function readOnAfterFailedWrites(socket: Socket): void {
  type Written = (error?: Error | null) => void;
  let failed = false;
  const forgiving =
    (written: Written): Written =>
    (error) => {
      if (error && !failed) {
        failed = true;
        setTimeout(() => socket.destroy(error), lastWordsMs).unref();
      }
      written();
    };
  socket._write = (chunk, encoding, written) =>
    Socket.prototype._write.call(socket, chunk, encoding, forgiving(written));
  socket._writev = (chunks, written) => Socket.prototype._writev?.call(socket, chunks, forgiving(written));
}

/** What went wrong before the other side answered. */
export type UpstreamFailure = {
  /** `unreachable`: nobody listens there · `timeout`: no answer in time · `broken`: the connection or the answer was · `invalid`: the request cannot be sent on. */
  readonly kind: 'unreachable' | 'timeout' | 'broken' | 'invalid';
  readonly cause: Error;
};

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EACCES',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

export function failureOf(error: Error): UpstreamFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (unreachableCodes.has(code)) return { kind: 'unreachable', cause: error };
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return { kind: 'timeout', cause: error };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')
    return { kind: 'invalid', cause: error };
  return { kind: 'broken', cause: error };
}

/** The connection was closed under a request: on a kept-alive one that may only mean that it had become idle too long. */
export const isConnectionLoss = (error: Error): boolean =>
  'code' in error &&
  (error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE');
