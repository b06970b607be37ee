import type { IncomingMessage, ServerResponse } from 'node:http';

const exposed =
  'etag, x-amz-request-id, content-range, content-length, last-modified, accept-ranges, content-disposition';

/** The portal's pages, and no other origin's, may call Drive: with a signature, never with a cookie. */
export function allowPortal(origin: string, request: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('vary', 'origin');
  if (request.headers.origin !== origin) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposed);
  return true;
}

/** What browsers ask before; nothing is read or changed by it. */
export function answerPreflight(isPortal: boolean, request: IncomingMessage, response: ServerResponse): void {
  const wanted = request.headers['access-control-request-headers'] ?? '';
  if (!isPortal || !/^[\w\s,-]{0,4096}$/.test(wanted)) {
    response.writeHead(403, { 'content-length': 0 }).end();
    return;
  }
  response
    .writeHead(204, {
      'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE',
      ...(wanted === '' ? {} : { 'access-control-allow-headers': wanted }),
      'access-control-max-age': '600',
    })
    .end();
}
