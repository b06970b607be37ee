import { Agent, fetch as undiciFetch } from 'undici';
import type { Fetch } from './client.ts';

/**
 * A fetch whose connections all go to one Unix socket, whatever host and scheme the URL names: what the public address serves by https
 * is spoken plainly there, since nobody else can listen. Used between the processes of one machine.
 */
export function fetchOverSocket(socketPath: string): Fetch & { close(): Promise<void> } {
  const dispatcher = new Agent({
    connect: { socketPath },
    connections: 64,
    headersTimeout: 60_000,
    bodyTimeout: 0,
  });
  const fetch: Fetch = (url, init) =>
    // The DOM's and undici's types of the same standard do not unify; the values do.
    undiciFetch(url.replace(/^https:/, 'http:'), {
      ...(init as Parameters<typeof undiciFetch>[1]),
      dispatcher,
    }) as unknown as Promise<Response>;
  return Object.assign(fetch, { close: () => dispatcher.close() });
}
