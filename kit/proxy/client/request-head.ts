/** This cannot be written as one request, whoever would read it. */
export class UnsendableRequest extends Error {}

export interface SentRequest {
  readonly method: string;
  /** Path and query; begins with a slash. */
  readonly path: string;
  /** Name, value, name, value … of end-to-end headers, in lower case. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const notInPath = /[^\x21-\x7e\x80-\xff]/;
const notInValue = /[^\t\x20-\x7e\x80-\xff]/;
/** Without a body these say so: servers may wait for one otherwise. */
const bodyExpected = new Set(['POST', 'PUT', 'PATCH']);

export interface RequestText {
  /** To be sent as Latin-1. */
  readonly text: string;
  /** No length is known, so the body is to be sent in chunks. */
  readonly chunked: boolean;
}

/** The head of a request, framing included. What would not be one line each throws `UnsendableRequest`. */
export function requestText({ method, path, headers, hasBody }: SentRequest): RequestText {
  if (!token.test(method)) throw new UnsendableRequest('The method is no word.');
  if (!path.startsWith('/') || notInPath.test(path))
    throw new UnsendableRequest('The path has a character that no path may have.');
  let text = `${method} ${path} HTTP/1.1\r\nconnection: keep-alive\r\n`;
  let length = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    if (!token.test(name) || notInValue.test(value))
      throw new UnsendableRequest('A header has a character that no header may have.');
    if (name === 'content-length') length = true;
    text += `${name}: ${value}\r\n`;
  }
  const chunked = hasBody && !length;
  if (chunked) text += 'transfer-encoding: chunked\r\n';
  else if (!hasBody && !length && bodyExpected.has(method)) text += 'content-length: 0\r\n';
  return { text: `${text}\r\n`, chunked };
}
