import type { IncomingMessage } from 'node:http';
import type { Sending } from './client/pool.ts';

/** An upload may take for ever, but not stand still for ever: what sends nothing for so long is given up. */
const stalledAfterMs = 120_000;

/** Sends a request's body on as it comes, at the pace of the slower side. */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #sending: Sending;
  readonly #stalled: NodeJS.Timeout;
  #waiting = false;

  constructor(request: IncomingMessage, sending: Sending) {
    this.#request = request;
    this.#sending = sending;
    this.#stalled = setTimeout(() => this.#onStall(), stalledAfterMs);
    this.#stalled.unref();
    request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
  }

  /** The other side takes more. */
  drained(): void {
    this.#waiting = false;
    this.#stalled.refresh();
    this.#request.resume();
  }

  /** What is still to come is read and thrown away, so that the client gets to read our answer. */
  stop(): void {
    clearTimeout(this.#stalled);
    this.#request.off('data', this.#onData).off('end', this.#onEnd);
    if (!this.#request.destroyed) this.#request.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#stalled.refresh();
    if (this.#sending.connection.write(chunk, this.#sending)) return;
    this.#waiting = true;
    this.#request.pause();
  };

  readonly #onEnd = (): void => {
    clearTimeout(this.#stalled);
    this.#sending.connection.end(this.#sending);
  };

  /** That the client went away is told by the response, too. */
  readonly #onError = (): void => {};

  #onStall(): void {
    // Standing still because the other side reads slowly is not the client's fault.
    if (this.#waiting) this.#stalled.refresh();
    else this.#request.destroy(new Error('The client stopped sending its request.'));
  }
}
