import { ApiError } from '../api/problem.ts';

/** What became of a request to Drive, which answers errors in S3's XML. */
function refusal(status: number, body: string): ApiError {
  const code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? `http_${status}`;
  const message = /<Message>([^<]*)<\/Message>/.exec(body)?.[1];
  return new ApiError(
    status,
    codes[code] ?? code,
    message === undefined ? `Drive answered with status ${status}.` : plain(message),
  );
}

const codes: Readonly<Record<string, string>> = {
  QuotaExceeded: 'drive_quota_exceeded',
  PreconditionFailed: 'object_exists',
  InsufficientStorage: 'insufficient_storage',
};

const plain = (xml: string): string =>
  xml.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

const brokenOff = (): ApiError =>
  new ApiError(
    0,
    'unreachable',
    'The connection to Drive broke. It is tried again; if it stays so, ask who runs Haic.',
  );

/** Puts bytes to a signed address, without any cookie. XMLHttpRequest, since fetch cannot tell how much of a request has been sent. */
export function putBytes(options: {
  readonly url: string;
  readonly body: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number) => void;
}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = new XMLHttpRequest();
  request.open('PUT', options.url);
  for (const [name, value] of Object.entries(options.headers ?? {})) request.setRequestHeader(name, value);
  request.upload.addEventListener('progress', (event) => options.onProgress(event.loaded));
  request.addEventListener('load', () => {
    if (request.status >= 200 && request.status < 300) resolve();
    else reject(refusal(request.status, request.responseText));
  });
  request.addEventListener('error', () => reject(brokenOff()));
  const abort = () => {
    request.abort();
    reject(options.signal.reason);
  };
  if (options.signal.aborted) abort();
  else {
    options.signal.addEventListener('abort', abort, { once: true });
    request.send(options.body);
    void promise.catch(() => {}).finally(() => options.signal.removeEventListener('abort', abort));
  }
  return promise;
}

/** The first bytes of an object. */
export async function getBytes(
  url: string,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const headers: Record<string, string> = most > 0 ? { range: `bytes=0-${most - 1}` } : {};
  const response = await fetch(url, { credentials: 'omit', headers, signal }).catch((error: unknown) => {
    throw signal.aborted ? error : brokenOff();
  });
  // Of nothing there is no first byte.
  if (response.status === 416) return new Uint8Array();
  if (!response.ok) throw refusal(response.status, await response.text());
  return new Uint8Array(await response.arrayBuffer());
}
