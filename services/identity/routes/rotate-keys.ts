import type { HttpServer } from '@haic/kit/http/server.ts';
import { type NewKey, publishAtLeastMs } from '../keys.ts';

/** POST /internal/identity/keys: `./haic issuer rotate-keys`. Nobody is signed out: what the old keys signed is good until its own end. */
export function registerRotateKeys(
  scope: HttpServer,
  rotateKeys: (how: { aheadMs: number }) => Promise<NewKey>,
): void {
  scope.post('/internal/identity/keys', { config: { deed: 'operate' } }, async () => {
    const { keyId, signsFrom } = await rotateKeys({ aheadMs: publishAtLeastMs });
    return { keyId, signsFrom: signsFrom.toISOString() };
  });
}
