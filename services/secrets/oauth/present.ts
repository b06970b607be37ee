import type { Names } from '../names.ts';
import type { Account } from './accounts.ts';
import type { OAuthClient } from './model.ts';
import type { SourceOwner } from './source-store.ts';

const iso = (at: Date | undefined): string | null => at?.toISOString() ?? null;

/** Never a token, and not the address of its login, which is as good as a password to it. */
export const presentAccount = ({ source, state, scopes }: Account) => ({
  client: { id: source.client.id, displayName: source.client.displayName },
  id: source.id,
  state,
  loginPrincipal: source.loginPrincipal,
  scopes,
  createdAt: source.createdAt.toISOString(),
  connectedAt: iso(source.loginAt),
  // What is renewed has no end that anybody knows.
  endsAt: state === 'CONNECTED' && source.renewable === false ? iso(source.expiresAt) : null,
  lastUsedAt: iso(source.usedAt),
  problem:
    source.problem === undefined
      ? null
      : { message: source.problem.message, at: source.problem.at.toISOString() },
});

/** Never its secret, but whether there is one. */
export const presentClient = (client: OAuthClient, callbackUri: string, nameOf: Names) => ({
  id: client.id,
  displayName: client.displayName,
  issuer: client.issuer,
  clientId: client.clientId,
  hasSecret: client.clientSecretSet,
  authorizationEndpoint: client.authorizationEndpoint,
  tokenEndpoint: client.tokenEndpoint,
  extraScopes: client.extraScopes,
  refreshDisabled: client.refreshDisabled,
  oidcDisabled: client.oidcDisabled,
  loginPrincipalClaim: client.loginPrincipalClaim,
  callbackUri,
  createdAt: client.createdAt.toISOString(),
  createdBy: nameOf(client.creator),
  updatedAt: iso(client.updated?.at),
  updatedBy: client.updated === undefined ? null : nameOf(client.updated.by),
});

export const presentOwner = ({ subject, accounts }: SourceOwner, nameOf: Names) => ({
  subject,
  username: nameOf(`users/${subject}`),
  accounts,
});
