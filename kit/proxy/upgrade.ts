import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type HeaderRules, requestHeaders, responseHeaders } from './headers.ts';
import { failureOf, type Upstream, type UpstreamFailure } from './upstream.ts';

/** The one protocol that is tunnelled. For any other, RFC 9110 §7.8 lets a server ignore the wish and answer as usual. */
export const wantsWebSocket = (request: IncomingMessage): boolean =>
  request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';

export interface UpgradeOptions {
  readonly upstream: Upstream;
  readonly path: string;
  readonly rules: HeaderRules;
  /** The tunnel stands, until `socket` closes. */
  readonly opened?: () => void;
  readonly failed: (failure: UpstreamFailure) => void;
}

/**
 * Carries a WebSocket through: the handshake's answer is parsed (so that its headers obey the rules), then both sockets are
 * joined and no byte is looked at any more.
 */
export function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: UpgradeOptions,
): void {
  const handshake = new Handshake(request, socket, head, options);
  options.upstream.upgrades().dispatch(
    {
      method: 'GET',
      path: options.path,
      headers: requestHeaders(request.rawHeaders, request.headers.connection, options.rules),
      upgrade: 'websocket',
    },
    handshake,
  );
}

interface ClosableSocket {
  destroySoon?(): void;
}

/** Answers an upgrade request like any other request: for refusals, and for servers that do not speak WebSocket. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // The 'upgrade' event hands out the same socket that the request arrived on; only its declared type is wider.
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
  response.on('finish', () => {
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    // An upgrade's socket is nobody's any more: without this it would stay half open for as long as the client likes.
    (socket as ClosableSocket).destroySoon?.();
  });
  return response;
}

class Handshake implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #options: UpgradeOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #response: ServerResponse | undefined;
  #done = false;
  readonly #onClose = (): void => this.#onClientGone();
  readonly #onError = (): void => this.#onClientGone();

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer, options: UpgradeOptions) {
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    this.#options = options;
    socket.on('close', this.#onClose).on('error', this.#onError);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done) controller.abort(new Error('The client is gone.'));
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    upstreamSocket: Duplex,
  ): void {
    this.#socket.off('close', this.#onClose).off('error', this.#onError);
    if (this.#done || this.#socket.destroyed) {
      upstreamSocket.destroy();
      return;
    }
    this.#done = true;
    const lines = responseHeaders(headers, this.#options.rules);
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`;
    for (let i = 0; i + 1 < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
    this.#socket.write(`${text}\r\n`, 'latin1');
    if (this.#head.length > 0) upstreamSocket.write(this.#head);
    join(this.#socket, upstreamSocket);
    this.#options.opened?.();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#response = responseOn(this.#request, this.#socket);
    this.#response.writeHead(status, responseHeaders(headers, this.#options.rules));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response === undefined || this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#done = true;
    this.#response?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#socket.off('close', this.#onClose);
    if (this.#response !== undefined) this.#socket.destroy();
    else this.#options.failed(failureOf(error));
  }

  #onClientGone(): void {
    if (this.#done) return;
    this.#done = true;
    this.#controller?.abort(new Error('The client is gone.'));
  }
}

/** After one direction ended, the other may still say goodbye for so long without a byte. */
const halfOpenMs = 30_000;

interface TunableSocket {
  setNoDelay?(on: boolean): unknown;
  setKeepAlive?(on: boolean, initialDelayMs: number): unknown;
  setTimeout?(milliseconds: number): unknown;
}

function join(a: Duplex, b: Duplex): void {
  for (const socket of [a, b]) {
    const tunable = socket as TunableSocket;
    tunable.setTimeout?.(0);
    tunable.setNoDelay?.(true);
    // Finds peers that vanished without a word (a closed lid), also when neither side pings.
    tunable.setKeepAlive?.(true, 60_000);
  }
  carry(a, b);
  carry(b, a);
}

/** One direction of the tunnel. */
function carry(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    if (to.writable) to.end();
    const timer = setTimeout(() => to.destroy(), halfOpenMs);
    timer.unref();
    to.on('data', () => timer.refresh());
    to.on('close', () => clearTimeout(timer));
  });
  from.on('error', () => from.destroy());
  from.on('close', () => {
    // After an orderly end the other side may still be writing out what it was given.
    if (!(from.readableEnded && to.writableEnded)) to.destroy();
  });
  from.resume();
}
