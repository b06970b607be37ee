import { createHmac, timingSafeEqual } from 'node:crypto';
import { unauthenticated } from '@haic/kit/errors.ts';
import { deriveKey } from '@haic/kit/keys.ts';

/** How far the launcher's clock and ours may be apart. */
const toleranceSeconds = 60;

export const timestampHeader = 'x-haic-timestamp';
export const signatureHeader = 'x-haic-signature';

/**
 * The instance's own key: derived, so that nothing has to be stored and no instance can sign for another. `seed` is of the present
 * owner: with the key that a former one may have read nobody gets tokens of the next.
 */
export const instanceKey = (masterKey: Buffer, instanceId: string, seed?: string): Buffer =>
  deriveKey(masterKey, `instance:${instanceId}${seed === undefined ? '' : `:${seed}`}`);

export interface SignedRequest {
  readonly method: string;
  /** Path as requested, with its query if there is one. */
  readonly path: string;
  readonly timestamp: string;
}

export const sign = (key: Buffer, request: SignedRequest): string =>
  createHmac('sha256', key).update(`${request.method}\n${request.path}\n${request.timestamp}`).digest('hex');

/** Throws `unauthenticated`, with one message for every reason: a forger learns nothing from it. */
export function verifySignature(
  key: Buffer,
  request: {
    readonly method: string;
    readonly path: string;
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  },
  nowSeconds: number = Date.now() / 1000,
): void {
  const { method, path, timestamp = '', signature = '' } = request;
  const expected = Buffer.from(sign(key, { method, path, timestamp }), 'hex');
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex');
  const same = given.length === expected.length && timingSafeEqual(given, expected);
  const fresh = /^\d{1,12}$/.test(timestamp) && Math.abs(nowSeconds - Number(timestamp)) <= toleranceSeconds;
  if (!same || !fresh) throw unauthenticated('This call is not signed by a running instance.');
}
