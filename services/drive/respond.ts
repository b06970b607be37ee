import { addAbortListener, once } from 'node:events';
import type { DriveRequest } from './request.ts';

export function sendXml(request: DriveRequest, xml: string, headers: Record<string, string> = {}): void {
  const body = Buffer.from(xml);
  request.response
    .writeHead(200, { 'content-type': 'application/xml', 'content-length': body.length, ...headers })
    .end(body);
}

export function sendNothing(
  request: DriveRequest,
  status: 200 | 204,
  headers: Record<string, string> = {},
): void {
  request.response
    .writeHead(status, { ...headers, ...(status === 200 ? { 'content-length': 0 } : {}) })
    .end();
}

/** The rest of an answer whose head is written. Resolves when the client has taken it, or is gone; who takes too long for it is cut off. */
export async function sendBytes(
  { response, signal }: Pick<DriveRequest, 'response' | 'signal'>,
  bytes: Buffer,
): Promise<void> {
  // It will not close a second time.
  signal.throwIfAborted();
  using _ = addAbortListener(signal, () => response.destroy());
  const closed = once(response, 'close');
  response.end(bytes);
  await closed;
}
