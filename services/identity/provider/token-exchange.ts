import { randomUUID } from 'node:crypto';
import { instanceOfParty, type Principal } from '@haic/kit/auth/principal.ts';
import { verifyToken } from '@haic/kit/auth/verify-token.ts';
import { HaicError } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { createLocalJWKSet, decodeJwt, importJWK, SignJWT } from 'jose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { ForeignResource } from '../foreign-resources/model.ts';
import { type AskingClient, mayAskFor } from '../foreign-resources/policy.ts';
import type { IssuerKeys } from '../keys.ts';
import type { Person } from '../model.ts';
import { isAccountClient, nameOfClient } from '../service-accounts/model.ts';
import { tokenExchangeGrant } from './clients.ts';
import { audience as ownAudience } from './configuration.ts';
import { lifetimes } from './lifetimes.ts';
import { publicKeys } from './public-keys.ts';

/** What an exchange asks of the identity service. */
export interface TokenExchangeParts {
  readonly findResource: (audience: string) => Promise<ForeignResource | undefined>;
  readonly appOfInstance: (instanceId: string) => Promise<string | undefined>;
  readonly findActivePerson: (id: string) => Promise<Person | undefined>;
  /** Whether the sign-in that a token came of has not ended. `sid` is undefined for tokens that come of none. */
  readonly isSignInOpen: (principal: Principal, sid: string | undefined) => Promise<boolean>;
  readonly logger: Logger;
}

interface Exchange extends TokenExchangeParts {
  readonly issuer: string;
  readonly keys: IssuerKeys;
}

type Params = Readonly<Record<string, unknown>>;

const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const accessTokenType = tokenType('access_token');
const grantJwtType = tokenType('jwt');

/**
 * What the token is to be: an access token that the resource itself takes, or a JWT that its authorization server takes as the authorization
 * grant of RFC 7523 (OAuth Identity and Authorization Chaining Across Domains §2.3). Neither can be taken for the other, by its `typ`.
 */
const forms = new Map([
  [accessTokenType, { typ: 'at+jwt', tokenType: 'Bearer' }],
  [grantJwtType, { typ: 'authorization-grant+jwt', tokenType: 'N_A' }],
]);

const parameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
];

/** OAuth 2.0 Token Exchange (RFC 8693): a client turns its token of a person into one for a resource that others guard. */
export function registerTokenExchange(provider: Provider, keys: IssuerKeys, parts: TokenExchangeParts): void {
  const exchange = { ...parts, issuer: provider.issuer, keys };
  provider.registerGrantType(
    tokenExchangeGrant,
    async (ctx) => {
      ctx.body = await answer(ctx, exchange);
    },
    parameters,
    // Repeated ones are refused below, with the error that RFC 8693 has for them.
    ['audience', 'resource'],
  );
}

async function answer(ctx: KoaContextWithOIDC, exchange: Exchange) {
  const params: Params = ctx.oidc.params ?? {};
  const clientId = ctx.oidc.client?.clientId ?? '';
  refuseActors(params);
  const form = formOf(params);
  const { person, principal } = await subjectOf(params, clientId, exchange);
  const resource = await resourceOf(params, clientId, exchange);
  const scope = scopeOf(params, resource);
  const token = await sign(exchange, { form, person, principal, resource, scope });
  exchange.logger.info(
    {
      event: 'token-exchange',
      username: person.username,
      client: clientId,
      audience: resource.audience,
      scope,
    },
    'A token was exchanged for one for a foreign resource.',
  );
  return {
    access_token: token,
    issued_token_type: form.issuedType,
    token_type: form.tokenType,
    expires_in: lifetimes.exchangedToken,
    ...(scope === '' ? {} : { scope }),
  };
}

/** §2.1: who acts is the client that authenticated; nobody acts for it in turn. */
function refuseActors(params: Params): void {
  if (params.actor_token !== undefined || params.actor_token_type !== undefined)
    throw new errors.InvalidRequest('actor tokens are not supported: the actor is the client that asks');
}

function formOf(params: Params) {
  const issuedType = params.requested_token_type ?? accessTokenType;
  const form = typeof issuedType === 'string' ? forms.get(issuedType) : undefined;
  if (form === undefined)
    throw new errors.InvalidRequest('requested_token_type is neither that of an access token nor of a JWT');
  return { ...form, issuedType };
}

/**
 * An access token of Haic that was issued to this very client. That of another app, or one that a person fetched for scripts, is refused: whoever
 * is handed a token could otherwise carry its person to wherever they are let in.
 */
async function subjectOf(params: Params, clientId: string, exchange: Exchange) {
  const refused = (why: string) => new errors.InvalidRequest(`the subject token is refused: ${why}`);
  if (params.subject_token_type !== accessTokenType)
    throw new errors.InvalidRequest('subject_token_type must be that of an access token');
  if (typeof params.subject_token !== 'string')
    throw new errors.InvalidRequest("missing required parameter 'subject_token'");
  const keys = createLocalJWKSet(publicKeys(exchange.keys));
  const expected = { issuer: exchange.issuer, audience: ownAudience };
  const principal = await verifyToken(params.subject_token, keys, expected).catch((error: unknown) => {
    if (error instanceof HaicError && error.status === 401)
      throw refused('it is not valid here, or no longer');
    throw error;
  });
  if (principal.party !== clientId) throw refused('it was issued to another client');
  const person = await exchange.findActivePerson(principal.subject);
  if (person === undefined) throw refused('whom it names may not sign in');
  const { sid } = decodeJwt(params.subject_token);
  if (!(await exchange.isSignInOpen(principal, typeof sid === 'string' ? sid : undefined)))
    throw refused('the sign-in that it came of has ended');
  return { principal, person };
}

/** §2.1: `audience` and `resource` both name the target; one of them, once. What one may not ask for is as good as unknown. */
async function resourceOf(params: Params, clientId: string, exchange: Exchange): Promise<ForeignResource> {
  const named = [params.audience, params.resource].flat().filter((value) => value !== undefined);
  const [audience] = named;
  if (named.length !== 1 || typeof audience !== 'string')
    throw new errors.InvalidTarget('name exactly one audience or resource');
  const resource = await exchange.findResource(audience);
  if (resource === undefined || !mayAskFor(await askingClient(clientId, exchange), resource))
    throw new errors.InvalidTarget('this client may not ask for tokens for that audience');
  return resource;
}

async function askingClient(clientId: string, exchange: Exchange): Promise<AskingClient> {
  if (isAccountClient(clientId)) return { kind: 'service-account', name: nameOfClient(clientId) };
  return { kind: 'app', appId: await exchange.appOfInstance(instanceOfParty(clientId) ?? '') };
}

/** All that the resource has, or the part of it that was asked for. */
function scopeOf(params: Params, resource: ForeignResource): string {
  if (typeof params.scope !== 'string' || params.scope.trim() === '') return resource.scopes.join(' ');
  const asked = [...new Set(params.scope.split(' ').filter((scope) => scope !== ''))];
  const beyond = asked.filter((scope) => !resource.scopes.includes(scope));
  if (beyond.length > 0)
    throw new errors.InvalidScope('that audience has no such scope here', beyond.join(' '));
  return asked.join(' ');
}

/** Who the person is, and nothing of what they may do at Haic: roles and groups are no business of others. */
async function sign(
  exchange: Exchange,
  what: {
    form: { typ: string };
    person: Person;
    principal: Principal;
    resource: ForeignResource;
    scope: string;
  },
): Promise<string> {
  const { person, principal, resource, scope } = what;
  const [signingKey] = exchange.keys.signing;
  if (signingKey === undefined) throw new Error('The issuer has no signing key.');
  const client = principal.party;
  return new SignJWT({
    client_id: client,
    azp: client,
    // §4.1. A machine that asks for itself acts for nobody.
    ...(principal.partyKind === 'service-account' ? {} : { act: { sub: client } }),
    ...(scope === '' ? {} : { scope }),
    preferred_username: person.username,
    name: person.name,
    ...(person.email === '' ? {} : { email: person.email }),
  })
    .setProtectedHeader({ alg: 'RS256', kid: signingKey.kid, typ: what.form.typ })
    .setIssuer(exchange.issuer)
    .setAudience(resource.audience)
    .setSubject(person.id)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetimes.exchangedToken}s`)
    .sign(await importJWK(signingKey, 'RS256'));
}
