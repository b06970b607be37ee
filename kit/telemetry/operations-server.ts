import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Address, startListening } from '../http/listening.ts';
import type { Logger } from '../logging.ts';
import type { Meter } from './meter.ts';

/** What those who operate Haic ask of a process, on a listener of its own that no ingress leads to. */
export interface OperationsServer {
  /** Who is not ready is sent nothing new, and is left to itself. */
  setReady(ready: boolean): void;
  /** Whether somebody said that the process is going to be stopped. */
  isEnding(): boolean;
  readonly port: number;
  close(): Promise<void>;
}

/** Who was told that it ends, and then was not stopped, stays as good as before. */
const forgottenAfterMs = 60_000;

/**
 * `/livez`: it answers at all. `/readyz`: it has begun, and is not about to end. `/metrics`: Prometheus' text. A database or an issuer that is
 * away makes nobody unready: then all would be, and nobody could say what is wrong. `/ending`: it is going to be stopped, which may begin once this is
 * answered: by then no proxy sends anything new.
 */
export async function startOperationsServer(options: {
  readonly meter: Meter;
  readonly listen: Address;
  readonly logger: Logger;
  /** From the word to the answer. */
  readonly endingMs?: number;
}): Promise<OperationsServer> {
  const { meter, logger } = options;
  let ready = false;
  let endsUntil = 0;
  const answers: Readonly<Record<string, () => Promise<Answer> | Answer>> = {
    '/livez': () => ({ status: 200, text: 'ok\n' }),
    '/readyz': () => (ready ? { status: 200, text: 'ok\n' } : { status: 503, text: 'not ready\n' }),
    '/ending': async () => {
      endsUntil = Date.now() + forgottenAfterMs;
      await pause(options.endingMs ?? 5000, undefined, { ref: false });
      return { status: 200, text: 'ok\n' };
    },
    '/metrics': async () => ({ status: 200, text: await meter.render(), type: meter.contentType }),
  };
  const server = createServer(async (request, response) => {
    const answer = answers[(request.url ?? '').split('?')[0] ?? ''];
    const reads = request.method === 'GET' || request.method === 'HEAD';
    try {
      const {
        status,
        text,
        type = 'text/plain; charset=utf-8',
      } = answer === undefined || !reads ? { status: 404, text: 'not found\n' } : await answer();
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
    } catch (error) {
      logger.warn({ err: error }, 'Metrics could not be read.');
      response.writeHead(500).end();
    }
  });
  await startListening(server, options.listen, logger);
  const address = server.address();
  return {
    setReady: (is) => {
      ready = is;
    },
    isEnding: () => Date.now() < endsUntil,
    port: address !== null && typeof address === 'object' ? address.port : options.listen.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}
