import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HaicError } from '@haic/kit/errors.ts';
import { type Page, pagePolicy, renderPage } from '@haic/kit/http/page.ts';
import { hasBody } from '@haic/kit/proxy/head.ts';
import { requestIdOf } from '@haic/kit/telemetry/request-id.ts';

type Headers = Record<string, string | string[]>;

const always: Headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** A person looks at a page; everything else reads problem JSON. */
export function wantsPage(request: IncomingMessage): boolean {
  const mode = request.headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return request.headers.accept?.includes('text/html') ?? false;
}

export const isNavigation = (request: IncomingMessage): boolean =>
  (request.method === 'GET' || request.method === 'HEAD') && wantsPage(request);

function end(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  body: string,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // The rest of a body that nobody wants would else be read as the next request's beginning.
  const closing: Headers = hasBody(request) && !request.complete ? { connection: 'close' } : {};
  response.writeHead(status, {
    ...always,
    ...headers,
    ...closing,
    'content-length': String(Buffer.byteLength(body)),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  page: Page,
  headers: Headers = {},
): void {
  end(
    request,
    response,
    status,
    {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pagePolicy,
      ...(page.refreshSeconds === undefined ? {} : { 'retry-after': String(page.refreshSeconds) }),
      ...headers,
    },
    renderPage(page),
  );
}

/** RFC 9457, the same shape as everywhere in Haic. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: HaicError,
  headers: Headers = {},
): void {
  const problem = {
    type: `urn:haic:error:${error.code}`,
    title: error.code,
    code: error.code,
    status: error.status,
    detail: error.message,
    requestId: requestIdOf(request),
  };
  const extra: Headers = {
    ...(error.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(error.status === 503 ? { 'retry-after': '3' } : {}),
  };
  const type = { 'content-type': 'application/problem+json' };
  end(request, response, error.status, { ...type, ...extra, ...headers }, JSON.stringify(problem));
}

/** The page for people, the problem for programs. */
export function sendEither(
  request: IncomingMessage,
  response: ServerResponse,
  error: HaicError,
  page: Page,
  headers: Headers = {},
): void {
  if (wantsPage(request)) sendPage(request, response, error.status, page, headers);
  else sendProblem(request, response, error, headers);
}

export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  status = 200,
): void {
  end(request, response, status, { 'content-type': 'application/json' }, JSON.stringify(body));
}

export function redirect(
  request: IncomingMessage,
  response: ServerResponse,
  location: string,
  options: { status?: 302 | 303 | 307; cookies?: readonly string[] } = {},
): void {
  const cookies = options.cookies ?? [];
  end(
    request,
    response,
    options.status ?? 302,
    { location, ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }) },
    '',
  );
}

/** A small body (a form, a little JSON); undefined when it is larger than that. */
export async function readSmallBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 64 * 1024) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
