import type { IncomingMessage } from 'node:http';

/** A request's address after the strict checks: what routing and authorisation may rely on. */
export interface RequestHead {
  /** The one Host header, in lower case. */
  readonly host: string;
  /** Path and query; begins with a slash. */
  readonly path: string;
}

export interface RefusedHead {
  readonly refused: string;
}

/**
 * What node's strict parser still lets through and a proxy must not: two proxies that read such a message differently can be made
 * to disagree about where a request ends or whose it is (RFC 9112 §3.2, §3.3, §6.1, §11.2).
 */
export function readHead(request: IncomingMessage): RequestHead | RefusedHead {
  const raw = request.rawHeaders;
  let host: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') {
      if (host !== undefined) return { refused: 'The request has more than one Host header.' };
      host = (raw[i + 1] ?? '').toLowerCase();
    }
  }
  if (host === undefined || host === '') return { refused: 'The request has no Host header.' };
  const framing = framingProblem(request);
  if (framing !== undefined) return { refused: framing };
  const path = originForm(request.url ?? '', host);
  if (path === undefined)
    return { refused: 'The request target is not a path, or names another host than the Host header.' };
  return { host, path };
}

/** Whether a body follows, however it is framed. */
export const hasBody = (request: IncomingMessage): boolean => {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
};

function framingProblem(request: IncomingMessage): string | undefined {
  const encoding = request.headers['transfer-encoding'];
  if (encoding === undefined) return undefined;
  if (request.headers['content-length'] !== undefined)
    return 'The request has both Content-Length and Transfer-Encoding.';
  // "chunked, chunked", "identity, chunked" and the like: nobody needs them, and hops disagree about them.
  if (encoding.toLowerCase() !== 'chunked')
    return 'The only Transfer-Encoding that is understood is "chunked".';
  if (request.httpVersion === '1.0') return 'HTTP/1.0 has no Transfer-Encoding.';
  return undefined;
}

/** Turns absolute-form into origin-form if it names the same host; anything else that is no path is refused. */
function originForm(target: string, host: string): string | undefined {
  if (target.startsWith('/')) return target;
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  if (match === null || match[1]?.toLowerCase() !== host) return undefined;
  const rest = match[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
