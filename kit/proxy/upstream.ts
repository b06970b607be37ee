import { type Dispatcher, Pool } from 'undici';
import { ConnectionFailure } from './client/connection.ts';
import { ConnectionPool, type Target } from './client/pool.ts';
import { UnsendableRequest } from './client/request-head.ts';
import { connectorTo } from './connector.ts';

export type { Target } from './client/pool.ts';

export interface UpstreamOptions {
  /** How long the other side may take until its response begins. Bodies have no limit: they may stream for days. */
  readonly headersTimeoutMs?: number;
}

/** Connections to one target. They are the target's own, so they end with its route. */
export interface Upstream {
  readonly target: Target;
  readonly pool: ConnectionPool;
  /** For WebSockets, whose connections are never used again. */
  readonly upgrades: () => Dispatcher;
  /** Lets requests under way finish. */
  close(): Promise<void>;
  /** Ends requests under way, too. */
  destroy(): Promise<void>;
}

const defaultHeadersTimeoutMs = 300_000;

export function createUpstream(target: Target, options: UpstreamOptions = {}): Upstream {
  const headersTimeoutMs = options.headersTimeoutMs ?? defaultHeadersTimeoutMs;
  const pool = new ConnectionPool(target, { headersTimeoutMs });
  let upgrades: Pool | undefined;
  return {
    target,
    pool,
    upgrades: () => {
      upgrades ??= upgradePool(target, headersTimeoutMs);
      return upgrades;
    },
    close: async () => {
      await Promise.all([pool.close(), upgrades?.close()]);
    },
    destroy: async () => {
      await Promise.all([pool.destroy(), upgrades?.destroy()]);
    },
  };
}

function upgradePool(target: Target, headersTimeout: number): Pool {
  const host = 'host' in target && target.host.includes(':') ? `[${target.host}]` : undefined;
  const origin = 'host' in target ? `http://${host ?? target.host}:${target.port}` : 'http://localhost';
  return new Pool(origin, {
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
    // A WebSocket's two directions end separately (half-close).
    connect: connectorTo(target, { allowHalfOpen: true, timeout: 5_000 }),
  });
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

export function failureOf(error: unknown): UpstreamFailure {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (cause instanceof ConnectionFailure) return { kind: cause.kind, cause };
  if (cause instanceof UnsendableRequest) return { kind: 'invalid', cause };
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (unreachableCodes.has(code)) return { kind: 'unreachable', cause };
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return { kind: 'timeout', cause };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return { kind: 'invalid', cause };
  return { kind: 'broken', cause };
}
