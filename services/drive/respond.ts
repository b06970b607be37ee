import { addAbortListener, once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { BlobBytes } from '@haic/platform/blob/port.ts';
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

/** The rest of an answer whose head is written, by the shortest way that the store offers. */
export async function sendBlob(
  request: Pick<DriveRequest, 'response' | 'signal'>,
  { content, bytes, sendTo }: BlobBytes,
): Promise<void> {
  const { response, signal } = request;
  if (bytes !== undefined) return sendBytes(request, bytes);
  if (sendTo === undefined) return pipeline(content, response, { signal });
  await sendTo(response, { signal });
  await sendBytes(request, Buffer.alloc(0));
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
