import { connect, type OnReadOpts, Socket } from 'node:net';
import { openChannel } from '../../channel/channel.ts';
import type { Target } from './pool.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';

/** What became of a request that got no whole answer. */
export class ConnectionFailure extends Error {
  /** `unreachable`: nobody listens there · `timeout`: no answer in time · `broken`: the connection or the answer was. */
  readonly kind: 'unreachable' | 'timeout' | 'broken';
  /** A kept connection was closed before anything of an answer came: it may only have become idle too long. */
  readonly stale: boolean;

  constructor(
    kind: ConnectionFailure['kind'],
    message: string,
    options: { stale?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.stale = options.stale ?? false;
  }
}

/** Who asked, and is told of the answer as it comes. */
export interface Call extends ResponseSink {
  /** All of a packet was handed on, and more is to come. */
  packetEnded(): void;
  /** The answer is whole. */
  ended(): void;
  failed(failure: ConnectionFailure): void;
  /** More of the request's body can be written. */
  drained(): void;
}

export interface ConnectionOwner {
  readonly headersTimeoutMs: number;
  /** The connection is free for the next request. */
  free(connection: Connection): void;
  gone(connection: Connection): void;
}

/**
 * One for all connections: a read fills it and what it brought is dealt with before the next read, of whatever connection, begins.
 */
const readInto = Buffer.allocUnsafeSlow(64 * 1024);

const connectTimeoutMs = 5_000;
/** So long may an answer still come when a request could not be written to its end. */
const lastWordsMs = 2_000;

/** A connection to the other side, and the one request that is under way on it. */
export class Connection {
  /** When it became free, or when what it waits for began. */
  since = performance.now();
  /** How long it may stay free. */
  keepMs = 0;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #connected = false;
  #used = false;
  #forgiving = false;
  #call: Call | undefined;
  #reader: ResponseReader | undefined;
  #sent = false;
  #paused = false;

  constructor(target: Target, owner: ConnectionOwner) {
    this.#owner = owner;
    const onread: OnReadOpts = { buffer: readInto, callback: (length) => this.#onRead(length) };
    const tuning = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, onread };
    const isChannel = 'channel' in target;
    this.#socket = isChannel
      ? openChannel(target, tuning)
      : 'socketPath' in target
        ? connect({ path: target.socketPath, ...tuning })
        : connect({ host: target.host, port: target.port, ...tuning });
    this.#socket
      .once(isChannel ? 'secureConnect' : 'connect', () => {
        this.#connected = true;
        this.since = performance.now();
      })
      .on('drain', () => this.#call?.drained())
      .on('end', () => this.#onEnd())
      .on('error', (error) => this.#onError(error))
      .on('close', () => this.#onClose());
  }

  get paused(): boolean {
    return this.#paused;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends a request's head. With a body, `write` and then `end` follow. */
  send(call: Call, text: string, request: { readonly toHead: boolean; readonly hasBody: boolean }): void {
    this.#call = call;
    this.#reader = new ResponseReader(call, request.toHead);
    this.#sent = !request.hasBody;
    this.since = performance.now();
    if (request.hasBody) {
      this.#forgiveFailedWrites();
      // The first of the body is mostly there in a moment, and then travels along.
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(text, 'latin1');
  }

  /** A piece of the body; false when the other side does not keep up. */
  write(chunk: Buffer, framing: { readonly chunked: boolean }): boolean {
    this.since = performance.now();
    if (!framing.chunked) return this.#socket.write(chunk);
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const more = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return more;
  }

  /** The body is whole. */
  end(framing: { readonly chunked: boolean }): void {
    this.#sent = true;
    this.since = performance.now();
    if (framing.chunked) this.#socket.write('0\r\n\r\n', 'latin1');
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  /** Nobody is told: for who asked and no longer wants to know, and for what is free. */
  destroy(): void {
    this.#call = undefined;
    this.#socket.destroy();
  }

  /** Ends what is under way. */
  fail(failure: ConnectionFailure): void {
    const call = this.#call;
    this.destroy();
    call?.failed(failure);
  }

  /** Looked at from time to time. */
  check(now: number): void {
    const waited = now - this.since;
    if (this.#call === undefined) {
      if (waited > this.keepMs) this.destroy();
    } else if (!this.#connected) {
      if (waited > connectTimeoutMs)
        this.fail(new ConnectionFailure('unreachable', 'It did not accept the connection.'));
    } else if (this.#reader?.head === undefined && waited > this.#owner.headersTimeoutMs)
      this.fail(new ConnectionFailure('timeout', 'It did not answer in time.'));
  }

  /** False stops reading. */
  #onRead(length: number): boolean {
    const [call, reader] = [this.#call, this.#reader];
    // Nobody asked: what comes now would be taken for the answer to the next request.
    if (call === undefined || reader === undefined) {
      this.destroy();
      return false;
    }
    let read: number;
    try {
      read = reader.read(readInto, length);
    } catch (error) {
      this.#broken(error instanceof Error ? error.message : String(error), error);
      return false;
    }
    // The one who asked may have gone while it was told.
    if (this.#call !== call) return false;
    if (!reader.done) {
      call.packetEnded();
      return !this.#paused;
    }
    this.#finish(call, reader, read === length);
    return !this.#socket.destroyed;
  }

  /** The next request gets this connection only if nothing of this exchange is left on it, in either direction. */
  #finish(call: Call, reader: ResponseReader, exact: boolean): void {
    this.#call = undefined;
    this.#reader = undefined;
    // Held back by its last piece, it would be silent to the next request.
    if (this.#paused) this.resume();
    this.#used = true;
    this.keepMs = reader.head?.keepMs ?? 0;
    this.since = performance.now();
    const reusable = exact && this.#sent && this.keepMs > 0 && this.#socket.writableLength === 0;
    call.ended();
    if (reusable) this.#owner.free(this);
    else this.#socket.destroy();
  }

  #onEnd(): void {
    const [call, reader] = [this.#call, this.#reader];
    if (call === undefined || reader === undefined) this.destroy();
    else if (reader.finish()) this.#finish(call, reader, false);
    else this.#broken('It closed the connection before its answer was whole.');
  }

  #onError(error: Error): void {
    if (this.#connected) this.#broken(error.message, error);
    else this.fail(new ConnectionFailure('unreachable', error.message, { cause: error }));
  }

  #onClose(): void {
    this.#owner.gone(this);
    this.#broken('The connection was closed.');
  }

  #broken(message: string, cause?: unknown): void {
    const stale = this.#used && this.#reader?.begun !== true;
    this.fail(new ConnectionFailure('broken', message, { stale, cause }));
  }

  /**
   * A server that refuses a body early answers and closes, so that writing the rest fails while its answer waits to be read. Node ends
   * a socket whose write failed; here the writing side alone is over, and what can still be read decides (RFC 9112 §9.6).
   */
  #forgiveFailedWrites(): void {
    if (this.#forgiving) return;
    this.#forgiving = true;
    const socket = this.#socket;
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
}
