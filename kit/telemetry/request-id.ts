import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * One id from the edge to the last process that a request sets to work: the router gives it, core takes it over, every line of a log that is
 * written meanwhile carries it. Clients cannot choose it: the router drops what they send under a name of Haic's.
 */
export const requestIdHeader = 'x-haic-request-id';

const given = new WeakMap<IncomingMessage, string>();

/** At the edge: made when it is first asked for. */
export function requestIdOf(request: IncomingMessage): string {
  const known = given.get(request);
  if (known !== undefined) return known;
  const id = randomUUID();
  given.set(request, id);
  return id;
}

/** Behind the edge: the one that the router gave, or a new one for who comes another way. */
export function takeOverRequestId(request: Pick<IncomingMessage, 'headers'>): string {
  const id = request.headers[requestIdHeader];
  return typeof id === 'string' && isRequestId(id) ? id : randomUUID();
}

const isRequestId = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
