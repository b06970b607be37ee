import { driveError } from '../errors.ts';
import type { SignableRequest } from './canonical.ts';
import type { Authorization } from './read-authorization.ts';

export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** How a body comes that is framed as `aws-chunked`. */
export interface StreamingPayload {
  readonly signed: boolean;
  readonly trailer: boolean;
}

const streamingPayloads: Readonly<Record<string, StreamingPayload>> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
};

export const streamingPayloadOf = (payloadHash: string): StreamingPayload | undefined =>
  Object.hasOwn(streamingPayloads, payloadHash) ? streamingPayloads[payloadHash] : undefined;

/** The last line of the canonical request. A presigned address leaves the body open unless the digest is in it, or in a header that it signs. */
export function payloadHashOf(request: SignableRequest, { by, signedHeaders }: Authorization): string {
  const inQuery = request.query.filter(({ name }) => name.toLowerCase() === 'x-amz-content-sha256');
  const isOpen = by === 'query' && !signedHeaders.includes('x-amz-content-sha256');
  if (isOpen && inQuery.length === 0) return unsignedPayload;
  const values = isOpen ? inQuery.map(({ value }) => value) : request.headers.get('x-amz-content-sha256');
  const [hash = ''] = values ?? [];
  if (values?.length !== 1)
    throw driveError('InvalidRequest', 'A signed request has one x-amz-content-sha256 header.');
  if (hash === unsignedPayload || /^[0-9a-f]{64}$/.test(hash) || streamingPayloadOf(hash) !== undefined)
    return hash;
  if (hash.startsWith('STREAMING-')) throw driveError('NotImplemented', `Drive does not understand ${hash}.`);
  throw driveError(
    'InvalidArgument',
    `x-amz-content-sha256 must be ${unsignedPayload}, ${Object.keys(streamingPayloads).join(', ')} or 64 hexadecimal digits.`,
  );
}
