import { Agent, fetch as undiciFetch } from 'undici';
import type { Target } from '../proxy/client/pool.ts';
import { connectorTo } from '../proxy/connector.ts';
import type { Fetch } from './client.ts';

export type FetchOver = Fetch & { close(): Promise<void> };

/**
 * A fetch whose connections all go to one place, whatever host and scheme the URL names: what the public address serves by https is spoken
 * plainly on a Unix socket, where nobody else can listen, or inside a channel. Used between Haic's own processes.
 */
export function fetchOver(target: Target): FetchOver {
  const dispatcher = new Agent({
    connect: connectorTo(target),
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

export const fetchOverSocket = (socketPath: string): FetchOver => fetchOver({ socketPath });
