import { verifyToken } from '@haic/kit/auth/verify-token.ts';
import { HaicError, unauthenticated } from '@haic/kit/errors.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { createLocalJWKSet } from 'jose';
import type { Person } from '../model.ts';
import { personClaims } from '../present.ts';
import { audience } from '../provider/configuration.ts';
import type { Issuer } from '../provider/issuer.ts';
import { publicKeys } from '../provider/public-keys.ts';
import { fieldOf, type PageContext } from './forms.ts';

export interface UserinfoParts extends PageContext {
  readonly issuer: Issuer;
  readonly findActivePerson: (id: string) => Promise<Person | undefined>;
}

/** OpenID Connect Core §5.3. The provider's own endpoint refuses access tokens that have an audience, and all of ours have. */
export function registerUserinfo(scope: HttpServer, parts: UserinfoParts): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 64 * 1024 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  scope.route({
    method: ['GET', 'POST'],
    url: `${parts.issuerPath}/protocol/openid-connect/userinfo`,
    config: {
      public: 'userinfo: verifies the token itself, by the protocol’s own rules for errors',
      unaudited: 'a question, by POST where the protocol allows it',
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      reply.header('cache-control', 'no-store');
      try {
        return personClaims(await personOfToken(request, parts));
      } catch (error) {
        if (!(error instanceof HaicError) || error.status !== 401) throw error;
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer error="invalid_token"')
          .send({ error: 'invalid_token', error_description: error.message });
      }
    },
  });
}

async function personOfToken(request: FastifyRequest, parts: UserinfoParts): Promise<Person> {
  const header = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = header ?? fieldOf(request, 'access_token');
  if (token === '') throw unauthenticated('An access token is needed: Authorization: Bearer <token>.');
  const principal = await verifyToken(token, createLocalJWKSet(publicKeys(parts.issuer.keys())), {
    issuer: parts.issuer.provider().issuer,
    audience,
  });
  const person = await parts.findActivePerson(principal.subject);
  if (person === undefined)
    throw unauthenticated('This token is no person’s, or the person may not sign in.');
  return person;
}
