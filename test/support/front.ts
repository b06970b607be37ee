import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer that has come and was not passed on yet. */
export interface HeldAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** Stands in front of a server on loopback, under an address of its own: a test may do something at exactly the moment of an answer. */
export interface Front {
  readonly port: number;
  /** Where everything goes; set once before the first request. */
  target: number;
  /** Awaited before an answer is passed on; false for never passing it on. */
  beforeAnswer: (answer: HeldAnswer) => Promise<boolean>;
  stop(): Promise<void>;
}

export async function startFront(): Promise<Front> {
  const passOn = async () => true;
  const server = createServer((incoming, outgoing) => pass(front, incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: Front = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    beforeAnswer: passOn,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return front;
}

function pass(front: Front, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = 'GET', url = '/', headers } = incoming;
  const onward = request({ host: '127.0.0.1', port: front.target, method, path: url, headers }, (answer) => {
    const status = answer.statusCode ?? 0;
    void front.beforeAnswer({ method, path: url, status }).then((passes) => {
      if (!passes) return outgoing.destroy();
      outgoing.writeHead(status, answer.rawHeaders);
      answer.pipe(outgoing);
    });
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
}
