import { type Static, Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import type { SourcePlace } from '../model.ts';

export const accountTags = ['Connected accounts'];
export const clientTags = ['OAuth clients'];

/** What is done is told of by the secure store, in one transaction with it. What is refused, from here; of looking only that somebody may not. */
const refusals = (action: string, resource: string) => {
  const readOnly = /\/(GET|LIST)$/.test(action);
  const when = readOnly ? ('denied' as const) : ('refused' as const);
  return { action, resource: `//secure-store/${resource}`, readOnly, when };
};
const account = 'oauthClients/{client}/tokenSources/{account}';

export const connecting = (action: string, resource = account) => ({
  ...{ deed: 'connect accounts' as const, audit: refusals(action, resource) },
});
export const loggingIn = {
  ...{
    deed: 'log in at other providers' as const,
    audit: refusals('actions/securestore/tokenSources/LOGIN', account),
  },
};
export const administering = (action: string, resource = 'oauthClients/{client}') => ({
  ...{ deed: 'administer OAuth clients' as const, audit: refusals(action, resource) },
});
export const lookingAtClients = (action: string, resource = 'oauthClients/{client}') => ({
  ...{ deed: 'use secrets' as const, audit: refusals(action, resource) },
});

/** Not checked for its form: what is no id is a client that does not exist. */
const clientId = Type.String({ description: 'Id of the OAuth client.' });
export const ClientParams = Type.Object({ client: clientId });
export const AccountParams = Type.Object({
  client: clientId,
  account: Type.String({ description: 'Id of the account among one’s own there.' }),
});
export const placeOf = ({ client, account }: Static<typeof AccountParams>): SourcePlace => ({
  client: { id: client },
  id: account,
});

export const AccountSchema = Type.Object(
  {
    client: Type.Object(
      { id: Type.String(), displayName: Type.String() },
      { additionalProperties: false, description: 'The OAuth client by which it is connected.' },
    ),
    id: Type.String({ description: 'How apps call it.' }),
    state: Type.Union(
      [Type.Literal('NOT_CONNECTED'), Type.Literal('CONNECTED'), Type.Literal('LOGIN_REQUIRED')],
      { title: 'AccountState' },
    ),
    loginPrincipal: Type.String({ description: 'Who logged in there, as the provider calls them.' }),
    scopes: listOf(Type.String(), { description: 'What is asked for at the provider.' }),
    createdAt: Timestamp,
    connectedAt: orNull(Timestamp),
    endsAt: orNull(Timestamp),
    lastUsedAt: orNull(Timestamp),
    problem: orNull(
      Type.Object(
        { message: Type.String(), at: Timestamp },
        { additionalProperties: false, description: 'What went wrong last, until all is well again.' },
      ),
    ),
  },
  { title: 'ConnectedAccount', additionalProperties: false },
);

/** What can be changed. Its limits are said by the service, in words. */
export const changeableFields = {
  displayName: Type.Optional(Type.String({ maxLength: 1000 })),
  extraScopes: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 })),
  refreshDisabled: Type.Optional(Type.Boolean({ description: 'Ask for no refresh token.' })),
  loginPrincipalClaim: Type.Optional(
    Type.String({ maxLength: 1000, description: 'Which claim says who logged in.' }),
  ),
};

export const ClientSecret = Type.String({
  maxLength: 10_000,
  description: 'As the provider gave it; empty for a client without one. It is never shown again.',
});

export const ClientSchema = Type.Object(
  {
    id: Type.String(),
    displayName: Type.String(),
    issuer: Type.String(),
    clientId: Type.String({ description: 'The client’s id at the provider.' }),
    hasSecret: Type.Boolean(),
    authorizationEndpoint: Type.String({ description: 'Asked of the issuer when empty.' }),
    tokenEndpoint: Type.String(),
    extraScopes: listOf(Type.String()),
    refreshDisabled: Type.Boolean(),
    oidcDisabled: Type.Boolean({ description: 'Plain OAuth 2.0, without an ID token.' }),
    loginPrincipalClaim: Type.String(),
    callbackUri: Type.String({ description: 'The redirect address to register at the provider.' }),
    createdAt: Timestamp,
    createdBy: Type.String({ description: 'User name.' }),
    updatedAt: orNull(Timestamp),
    updatedBy: orNull(Type.String()),
  },
  { title: 'OAuthClient', additionalProperties: false },
);
