import type { JSONWebKeySet, JWK } from 'jose';
import type { IssuerKeys } from '../keys.ts';

/** What the issuer publishes: no private part of any key. */
export const publicKeys = (keys: IssuerKeys): JSONWebKeySet => ({
  keys: keys.signing.map(
    (key): JWK => ({
      kty: 'RSA',
      kid: key.kid,
      alg: key.alg,
      use: key.use,
      ...(key.n === undefined ? {} : { n: key.n }),
      ...(key.e === undefined ? {} : { e: key.e }),
    }),
  ),
});
