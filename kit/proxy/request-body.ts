import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** An upload may take for ever, but not stand still for ever: what sends nothing for so long is given up. */
const stalledAfterMs = 120_000;

/**
 * The body of a request as a stream of its own. Undici destroys the body it was given when the other side answers early or fails;
 * destroying the request itself would close the client's connection before the answer is written.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #stalled: NodeJS.Timeout;

  constructor(request: IncomingMessage) {
    super({ highWaterMark: 64 * 1024 });
    this.#request = request;
    this.#stalled = setTimeout(() => this.#onStall(), stalledAfterMs);
    this.#stalled.unref();
    request
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('close', this.#onClose)
      .on('error', this.#onError);
    request.pause();
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#stalled);
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // What is still to come is read and thrown away, so that the client gets to read our answer.
    if (!request.destroyed) request.resume();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#stalled.refresh();
    if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#request.complete) this.destroy(new Error('The client went away while it sent its request.'));
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  #onStall(): void {
    // Standing still because the other side reads slowly is not the client's fault.
    if (this.readableLength > 0) this.#stalled.refresh();
    else this.#request.destroy(new Error('The client stopped sending its request.'));
  }
}
