import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { hasBody } from './head.ts';
import { type HeaderRules, requestHeaders, responseHeaders } from './headers.ts';
import { RequestBody } from './request-body.ts';
import { failureOf, isConnectionLoss, type Upstream, type UpstreamFailure } from './upstream.ts';

export interface ForwardOptions {
  readonly upstream: Upstream;
  /** Path and query to ask for; begins with a slash. */
  readonly path: string;
  readonly rules: HeaderRules;
  /** The other side gave no answer, and nothing was written to the client: the caller answers. */
  readonly failed: (failure: UpstreamFailure) => void;
}

/** Larger bodies are not worth copying. */
const smallBody = 8 * 1024;

/**
 * Sends a request on and its answer back, as it comes: no buffering, the slower side sets the pace, and when either side goes away
 * so does the other. Written against undici's dispatch handlers, which cost half of what two node streams piped together do.
 */
export function forward(request: IncomingMessage, response: ServerResponse, options: ForwardOptions): void {
  new Exchange(request, response, options).send();
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ForwardOptions;
  readonly #withBody: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #answered = false;
  #wroteBody = false;
  /** The first bytes of the body, until the packet that brought them has been read: they may be all there is. */
  #held: Buffer | undefined;
  #flushPending = false;
  #done = false;
  #mayRetry: boolean;

  constructor(request: IncomingMessage, response: ServerResponse, options: ForwardOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#withBody = hasBody(request);
    // RFC 9110 §9.2.2: only what is idempotent may be repeated by a proxy, and only a body that is not there can be.
    this.#mayRetry = !this.#withBody && (request.method === 'GET' || request.method === 'HEAD');
    response.on('close', () => this.#onClientGone());
  }

  send(): void {
    const request = this.#request;
    if (this.#withBody && request.headers.expect?.toLowerCase() === '100-continue')
      this.#response.writeContinue();
    this.#options.upstream.pool.dispatch(
      {
        method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
        path: this.#options.path,
        headers: requestHeaders(request.rawHeaders, request.headers.connection, this.#options.rules),
        body: this.#withBody ? new RequestBody(request) : null,
      },
      this,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done) controller.abort(new Error('The client is gone.'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Interim answers (103 Early Hints) are optional to relay, and many clients mishandle them.
    if (status < 200 || this.#done) return;
    this.#controller = controller;
    this.#answered = true;
    this.#response.writeHead(status, responseHeaders(headers, this.#options.rules));
    this.#flushPending = true;
    queueMicrotask(() => this.#flush());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    if (this.#flushPending && this.#held === undefined && chunk.length <= smallBody) {
      this.#held = chunk;
      return;
    }
    this.#writeHeld();
    this.#wroteBody = true;
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#done) return;
    this.#done = true;
    // As a string it leaves in one piece with the headers, which saves a third of what sending costs.
    if (this.#held !== undefined) this.#response.end(this.#held.toString('latin1'), 'latin1');
    else this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#done) return;
    if (!this.#answered && this.#mayRetry && isConnectionLoss(error)) {
      this.#mayRetry = false;
      this.send();
      return;
    }
    this.#done = true;
    // A body that was cut must look cut: an orderly end would pass it off as whole.
    if (this.#answered) this.#response.destroy();
    else this.#options.failed(failureOf(error));
  }

  /** Headers travel with the first bytes of the body if these came in the same packet, else at once (event streams). */
  #flush(): void {
    this.#flushPending = false;
    if (this.#done || this.#response.destroyed) return;
    this.#writeHeld();
    if (!this.#wroteBody) this.#response.flushHeaders();
  }

  #writeHeld(): void {
    if (this.#held === undefined) return;
    this.#wroteBody = true;
    this.#response.write(this.#held);
    this.#held = undefined;
  }

  #onClientGone(): void {
    if (this.#done) return;
    this.#done = true;
    this.#controller?.abort(new Error('The client is gone.'));
  }
}
