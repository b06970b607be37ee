import { forbidden, type HaicError, invalid, notFound } from '@haic/kit/errors.ts';
import { checkedDisplayName } from '../model.ts';

/** What Haic is at another identity provider. */
export interface OAuthClient {
  readonly uid: string;
  readonly id: string;
  readonly displayName: string;
  readonly issuer: string;
  /** At the provider. */
  readonly clientId: string;
  readonly clientSecretSet: boolean;
  /** Empty where the issuer is asked. */
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly extraScopes: readonly string[];
  /** No refresh token is asked for. */
  readonly refreshDisabled: boolean;
  /** Plain OAuth 2.0: no ID token. */
  readonly oidcDisabled: boolean;
  /** Which claim says who logged in. */
  readonly loginPrincipalClaim: string;
  /** `users/<subject>`. */
  readonly creator: string;
  readonly createdAt: Date;
  readonly updated: { readonly by: string; readonly at: Date } | undefined;
}

/** Somebody's account at a provider, as far as Haic acts for them there. */
export interface TokenSource {
  readonly uid: string;
  readonly client: Pick<OAuthClient, 'uid' | 'id' | 'displayName'>;
  readonly id: string;
  /** The subject of its creator: theirs alone. */
  readonly owner: string;
  readonly redirectUri: string;
  /** Counts what happens to its tokens. */
  readonly generation: number;
  /** Whether there are tokens at all. */
  readonly connected: boolean;
  readonly issuedAt: Date | undefined;
  /** Undefined where the provider does not say. */
  readonly expiresAt: Date | undefined;
  readonly loginAt: Date | undefined;
  /** As the provider identifies who logged in. */
  readonly subject: string;
  readonly loginPrincipal: string;
  readonly createdAt: Date;
  /** Whether there is a refresh token. Undefined where that was not noted. */
  readonly renewable: boolean | undefined;
  /** To the minute. */
  readonly usedAt: Date | undefined;
  readonly problem: SourceProblem | undefined;
}

/** What went wrong last, in words for whose source it is. */
export interface SourceProblem {
  readonly message: string;
  readonly at: Date;
}

/** Never leaves but sealed; the access token goes to who it belongs to. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** What a provider gave, and who it says logged in. */
export interface Grant extends Tokens {
  readonly expiresAt: Date | undefined;
}

/** Where a token source is among those of its owner. */
export interface SourcePlace {
  readonly client: Pick<OAuthClient, 'id'>;
  readonly id: string;
}

export const oauthClientName = ({ id }: Pick<OAuthClient, 'id'>): string => `oauthClients/${id}`;
export const tokenSourceName = ({ client, id }: SourcePlace): string =>
  `${oauthClientName(client)}/tokenSources/${id}`;

export function readClientName(name: string): string {
  const id = /^oauthClients\/([^/\p{Cc}\p{Cs}]{1,200})$/u.exec(name)?.[1];
  if (id === undefined) throw invalid('invalid_name', 'The name is not of the form oauthClients/<client>.');
  return id;
}

export function readSourceName(name: string): { readonly client: string; readonly id: string } {
  const [, client, id] =
    /^oauthClients\/([^/\p{Cc}\p{Cs}]{1,200})\/tokenSources\/([^/\p{Cc}\p{Cs}]{1,200})$/u.exec(name) ?? [];
  if (client === undefined || id === undefined)
    throw invalid('invalid_name', 'The name is not of the form oauthClients/<client>/tokenSources/<source>.');
  return { client, id };
}

/** As people know it. */
export const titleOf = ({ displayName, id }: Pick<OAuthClient, 'displayName' | 'id'>): string =>
  displayName === '' ? id : displayName;

export const endedBy = (client: OAuthClient): string =>
  `${titleOf(client)} no longer renews this access. Log in there again.`;

export const noSuchClient = () => notFound('This OAuth client');
export const noSuchSource = () => notFound('This token source');

export type ClientSettings = Pick<
  OAuthClient,
  | 'displayName'
  | 'issuer'
  | 'clientId'
  | 'authorizationEndpoint'
  | 'tokenEndpoint'
  | 'extraScopes'
  | 'refreshDisabled'
  | 'oidcDisabled'
  | 'loginPrincipalClaim'
> & { readonly clientSecret: string };

const usualPrincipalClaim = 'preferred_username';
const longestText = 2000;

/** Throws `invalid_oauth_client` (400) with the first thing that is wrong. */
export function checkedSettings(wanted: ClientSettings): ClientSettings {
  const { issuer, clientId, clientSecret, authorizationEndpoint, tokenEndpoint, oidcDisabled } = wanted;
  checkProviderUrl('issuer', issuer);
  if (!/^[\x20-\x7e]{1,500}$/.test(clientId)) throw wrong('clientId has 1 to 500 visible characters.');
  checkedClientSecret(clientSecret);
  if (oidcDisabled && (authorizationEndpoint === '' || tokenEndpoint === ''))
    throw wrong(
      'Without OpenID Connect nobody is asked for addresses: authorizationEndpoint and tokenEndpoint are needed.',
    );
  if (authorizationEndpoint !== '') checkProviderUrl('authorizationEndpoint', authorizationEndpoint);
  if (tokenEndpoint !== '') checkProviderUrl('tokenEndpoint', tokenEndpoint);
  return { ...wanted, ...checkedChanges(wanted) };
}

export function checkedClientSecret(secret: string): string {
  if (secret.length > longestText || secret.includes('\0'))
    throw wrong(`clientSecret has at most ${longestText} characters.`);
  return secret;
}

export type ClientChanges = Pick<
  OAuthClient,
  'displayName' | 'extraScopes' | 'refreshDisabled' | 'loginPrincipalClaim'
>;

export function checkedChanges(wanted: ClientChanges): ClientChanges {
  const { loginPrincipalClaim: claim } = wanted;
  if (!/^[\x21-\x7e]{0,200}$/.test(claim))
    throw wrong('loginPrincipalClaim is the name of a claim, without spaces.');
  return {
    displayName: checkedDisplayName(wanted.displayName, 63),
    extraScopes: checkedScopes(wanted.extraScopes),
    refreshDisabled: wanted.refreshDisabled,
    loginPrincipalClaim: claim === '' ? usualPrincipalClaim : claim,
  };
}

/** RFC 6749 §3.3 says of which characters. `openid` is for Haic to ask for, or not. */
function checkedScopes(scopes: readonly string[]): readonly string[] {
  const bad = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(scope));
  if (bad !== undefined)
    throw wrong(`"${bad.slice(0, 100)}" is no scope: one an entry, without spaces and quotation marks.`);
  if (scopes.includes('openid')) throw wrong('openid is no extra scope: Haic asks for it by itself.');
  if (scopes.length > 100) throw wrong('There are at most 100 extra scopes.');
  return [...new Set(scopes)];
}

/** An administrator says where the provider is, so it may be inside the organisation; but codes and secrets travel there. */
function checkProviderUrl(field: string, text: string): void {
  const url = text.length <= longestText && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw wrong(`${field} is not an http or https address.`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw wrong(`${field} has a user name, a password or a fragment in it.`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw wrong(`${field} has to be https, unless it is on this machine: codes and secrets travel there.`);
}

export const isLoopback = (hostname: string): boolean =>
  /^(localhost|([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);

/** Where the browser goes after a login; empty for nowhere. Throws `invalid_redirect_uri` (400). */
export function checkedRedirectUri(text: string): string {
  if (text === '') return text;
  const url = text.length <= longestText && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw wrongRedirect('is an absolute http or https address');
  if (url.username !== '' || url.password !== '') throw wrongRedirect('has no user name or password in it');
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw wrongRedirect('is https, unless it is on this machine');
  // What browsers drop or turn around while they read an address belongs in none.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0020\u007f\\]/.test(text) || !text.isWellFormed())
    throw wrongRedirect('has no spaces, backslashes or control characters');
  return text;
}

const wrong = (why: string): HaicError => invalid('invalid_oauth_client', why);
const wrongRedirect = (why: string): HaicError =>
  invalid('invalid_redirect_uri', `redirectUri is where the browser goes after the login: it ${why}.`);

/** Who opens the login of somebody else's token source. Nothing of the source is told. */
export const somebodyElses = (): HaicError =>
  forbidden(
    'another_person',
    'This login belongs to somebody else. Sign in to Haic as the person who asked for it, or ask for one of your own.',
  );
