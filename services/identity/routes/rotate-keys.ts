import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { type NewKey, publishAtLeastMs } from '../keys.ts';

export interface KeyRotation {
  /** Nobody is signed out: what the old keys signed is good until its own end. */
  rotate(how: { aheadMs: number }): Promise<NewKey>;
  /** What the old keys signed is refused at once, and everybody signs in anew. */
  replace(): Promise<NewKey>;
}

const body = Type.Union([
  Type.Object({ dropOld: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
  Type.Null(),
]);

/** POST /internal/identity/keys: `./haic issuer rotate-keys`, and with `dropOld` for keys that became known. */
export function registerRotateKeys(scope: HttpServer, keys: KeyRotation): void {
  const audit = {
    action: 'actions/identity/keys/ROTATE',
    resource: '//identity/keys',
    parameters: ['dropOld'],
  };
  const config = { deed: 'operate', audit } as const;
  scope.post('/internal/identity/keys', { schema: { body }, config }, async (request) => {
    const dropOld = (request.body as Static<typeof body>)?.dropOld === true;
    const { keyId, signsFrom } = dropOld
      ? await keys.replace()
      : await keys.rotate({ aheadMs: publishAtLeastMs });
    return { keyId, signsFrom: signsFrom.toISOString() };
  });
}
