import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';

/** Helpers for tests that speak to real sockets, byte by byte. */

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

export async function listening(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

export const serveHttp = (handler: (request: IncomingMessage, response: ServerResponse) => void) =>
  listening(createServer(handler));

/** A server that is nothing but sockets. */
export async function serveRaw(handler: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    handler(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Until the other side ended or reset the connection; the socket must be flowing. */
export const endOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) resolve();
    else socket.on('end', resolve).on('close', () => resolve());
  });

/** Sends exactly these bytes and returns everything that comes back until the other side ends. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
  socket.write(bytes, 'latin1');
  await endOf(socket);
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

/** A connection that stays open: read until a text arrived. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  bytes = 0;
  #waiting: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.received = (this.received + chunk.toString('latin1')).slice(-1_000_000);
      this.#waiting?.();
    });
    this.socket.on('close', () => this.#waiting?.());
    this.socket.on('end', () => this.#waiting?.());
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async until(done: (received: string) => boolean): Promise<string> {
    while (!done(this.received)) {
      if (this.socket.destroyed || this.socket.readableEnded)
        throw new Error(`The connection ended after: ${this.received}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.received;
  }

  async ended(): Promise<string> {
    await endOf(this.socket);
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

export const bodyOf = (response: string): string => response.slice(response.indexOf('\r\n\r\n') + 4);
export const statusOf = (response: string): number => Number(response.slice(9, 12));
