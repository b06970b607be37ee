import type { ChannelTarget } from '../../channel/channel.ts';
import { type Call, Connection, ConnectionFailure, type ConnectionOwner } from './connection.ts';
import { requestText, type SentRequest } from './request-head.ts';

/** Where requests go: a TCP address, a Unix socket, or another process of Haic's. */
export type Target =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string }
  | ChannelTarget;

/** A request under way: how its body is sent, and how its answer is held back or given up. */
export interface Sending {
  readonly connection: Connection;
  readonly chunked: boolean;
}

/** How often connections are looked at for having waited too long. */
const checkMs = 1_000;

/**
 * Kept connections to one target, one request at a time on each: pipelining, or a limit, would let a slow answer or an open stream
 * hold up others.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly headersTimeoutMs: number;
  readonly #target: Target;
  readonly #all = new Set<Connection>();
  /** The one used last is used next, so that those that are not needed grow old. */
  readonly #free: Connection[] = [];
  readonly #emptied = Promise.withResolvers<void>();
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Target, options: { readonly headersTimeoutMs: number }) {
    this.#target = target;
    this.headersTimeoutMs = options.headersTimeoutMs;
  }

  /** Throws `UnsendableRequest`, or `ConnectionFailure` when the pool is closed; all else `call` is told. */
  send(request: SentRequest, call: Call, options: { readonly fresh: boolean }): Sending {
    const { text, chunked } = requestText(request);
    if (this.#closed) throw new ConnectionFailure('unreachable', 'It is not there any more.');
    const connection = (options.fresh ? undefined : this.#takeFree()) ?? this.#open();
    connection.send(call, text, { toHead: request.method === 'HEAD', hasBody: request.hasBody });
    return { connection, chunked };
  }

  free(connection: Connection): void {
    if (this.#closed) connection.destroy();
    else this.#free.push(connection);
  }

  gone(connection: Connection): void {
    this.#all.delete(connection);
    const index = this.#free.indexOf(connection);
    if (index >= 0) this.#free.splice(index, 1);
    if (this.#all.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) this.#emptied.resolve();
  }

  /** Lets requests under way finish. */
  close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#free.splice(0)) connection.destroy();
    if (this.#all.size === 0) this.#emptied.resolve();
    return this.#emptied.promise;
  }

  /** Ends requests under way, too. */
  destroy(): Promise<void> {
    const emptied = this.close();
    const failure = new ConnectionFailure('unreachable', 'It is not there any more.');
    for (const connection of this.#all) connection.fail(failure);
    return emptied;
  }

  #takeFree(): Connection | undefined {
    const now = performance.now();
    for (let last = this.#free.pop(); last !== undefined; last = this.#free.pop()) {
      if (!last.destroyed && now - last.since <= last.keepMs) return last;
      last.destroy();
    }
    return undefined;
  }

  #open(): Connection {
    const connection = new Connection(this.#target, this);
    this.#all.add(connection);
    this.#timer ??= setTimeout(() => this.#check(), checkMs).unref();
    return connection;
  }

  #check(): void {
    this.#timer = this.#all.size === 0 ? undefined : setTimeout(() => this.#check(), checkMs).unref();
    const now = performance.now();
    for (const connection of this.#all) connection.check(now);
  }
}
