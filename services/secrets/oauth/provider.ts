import { HaicError, invalid, messageOf, unavailable } from '@haic/kit/errors.ts';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { type Grant, type OAuthClient, type Tokens, titleOf } from './model.ts';
import type { Outbound } from './outbound.ts';

/** What ties a provider's answer to who asked (RFC 9700 §2.1). The state is what the answer is found by. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export const newChallenge = (): Challenge => ({
  state: oidc.randomState(),
  nonce: oidc.randomNonce(),
  verifier: oidc.randomPKCECodeVerifier(),
});

export interface LoggedIn extends Grant {
  readonly subject: string;
  readonly loginPrincipal: string;
}

/** One identity provider, as Haic is its client. Each call ends after ten seconds, and throws what its caller may see. */
export interface Provider {
  loginUrl(challenge: Challenge): Promise<string>;
  /** Redeems the code of the address that the browser came back to. Throws `login_refused` (400) for every lie. */
  redeem(callback: URL, challenge: Challenge): Promise<LoggedIn>;
  /** Undefined when the provider will have the person log in again. */
  refresh(refreshToken: string): Promise<Grant | undefined>;
  /** Where the provider knows how to; what it does not take is forgotten here anyway. */
  revoke(tokens: Tokens): Promise<void>;
}

export interface ProviderOptions {
  readonly client: OAuthClient;
  readonly clientSecret: string | undefined;
  readonly callbackUri: string;
  readonly outbound: Outbound;
  readonly now: () => Date;
}

const deadlineSeconds = 10;

export function createProvider(options: ProviderOptions): Provider {
  const { client, now } = options;
  let known: Promise<oidc.Configuration> | undefined;
  const configuration = (): Promise<oidc.Configuration> => {
    const asked = known ?? configure(options);
    known = asked;
    asked.catch(() => {
      known = undefined;
    });
    return asked;
  };
  const asking = <T>(work: (configuration: oidc.Configuration) => Promise<T>): Promise<T> =>
    explaining(client, async () => work(await configuration()));
  const grantOf = (answer: oidc.TokenEndpointResponse, before?: string): Grant => ({
    accessToken: answer.access_token,
    refreshToken: client.refreshDisabled ? undefined : (answer.refresh_token ?? before),
    expiresAt:
      typeof answer.expires_in === 'number'
        ? new Date(now().getTime() + Math.min(answer.expires_in, 10 * 365 * 86_400) * 1000)
        : undefined,
  });

  return {
    loginUrl: (challenge) =>
      asking(async (configuration) => {
        const scope = scopesOf(client);
        const parameters = {
          redirect_uri: options.callbackUri,
          state: challenge.state,
          code_challenge: await oidc.calculatePKCECodeChallenge(challenge.verifier),
          code_challenge_method: 'S256',
          ...(scope.length === 0 ? {} : { scope: scope.join(' ') }),
          ...(client.oidcDisabled ? {} : { nonce: challenge.nonce }),
          // OpenID Connect Core §11: without it, a provider gives no access for when nobody is there.
          ...(scope.includes('offline_access') ? { prompt: 'consent' } : {}),
        };
        return oidc.buildAuthorizationUrl(configuration, parameters).href;
      }),

    redeem: (callback, challenge) =>
      asking(async (configuration) => {
        const answer = await oidc.authorizationCodeGrant(configuration, callback, {
          expectedState: challenge.state,
          pkceCodeVerifier: challenge.verifier,
          ...(client.oidcDisabled ? {} : { expectedNonce: challenge.nonce, idTokenExpected: true }),
        });
        const claims = client.oidcDisabled
          ? looseClaims(answer.access_token)
          : await verifiedClaims(configuration, client, answer);
        const { sub } = claims;
        return {
          ...grantOf(answer),
          subject: shown(sub),
          loginPrincipal: shown(claims[client.loginPrincipalClaim]),
        };
      }),

    refresh: (refreshToken) =>
      asking(async (configuration) => {
        try {
          return grantOf(await oidc.refreshTokenGrant(configuration, refreshToken), refreshToken);
        } catch (error) {
          if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return undefined;
          throw error;
        }
      }),

    revoke: ({ refreshToken, accessToken }) =>
      asking(async (configuration) => {
        if (configuration.serverMetadata().revocation_endpoint === undefined) return;
        // With the refresh token go the access tokens that came of it (RFC 7009 §2.1).
        const [token, hint] =
          refreshToken === undefined ? [accessToken, 'access_token'] : [refreshToken, 'refresh_token'];
        await oidc.tokenRevocation(configuration, token, { token_type_hint: hint });
      }),
  };
}

/** Which scope has a claim in it, for those that providers give to who asks only (OpenID Connect Core §5.4). */
const scopeOfClaim: Readonly<Record<string, string>> = {
  ...{ preferred_username: 'profile', name: 'profile', nickname: 'profile', given_name: 'profile' },
  ...{ family_name: 'profile', profile: 'profile', email: 'email', phone_number: 'phone' },
};

/** What is asked for there. */
export function scopesOf({
  oidcDisabled,
  extraScopes,
  refreshDisabled,
  loginPrincipalClaim,
}: OAuthClient): string[] {
  if (oidcDisabled) return [...extraScopes];
  const own = scopeOfClaim[loginPrincipalClaim];
  return [
    ...new Set([
      'openid',
      ...(own === undefined ? [] : [own]),
      ...(refreshDisabled ? [] : ['offline_access']),
      ...extraScopes,
    ]),
  ];
}

async function configure(options: ProviderOptions): Promise<oidc.Configuration> {
  const { client, clientSecret, outbound } = options;
  const { issuer, clientId, authorizationEndpoint, tokenEndpoint } = client;
  const given = {
    ...(authorizationEndpoint === '' ? {} : { authorization_endpoint: authorizationEndpoint }),
    ...(tokenEndpoint === '' ? {} : { token_endpoint: tokenEndpoint }),
  };
  const named = [issuer, authorizationEndpoint, tokenEndpoint].filter((address) => address !== '');
  const hosts = new Set(named.map((address) => new URL(address).host));
  const customFetch: oidc.CustomFetch = (url, init) => outbound.fetch(url, init as RequestInit, hosts);
  const isPlain = named.some((address) => address.startsWith('http:'));

  const metadata: oidc.ServerMetadata = client.oidcDisabled
    ? { issuer, ...given }
    : { ...(await discover(issuer, clientId, customFetch, isPlain)), ...given };
  const authentication = authenticationOf(clientSecret, client, metadata);
  const configuration = new oidc.Configuration(metadata, clientId, undefined, authentication);
  configuration.timeout = deadlineSeconds;
  configuration[oidc.customFetch] = customFetch;
  // The way by which a token came is no proof of who made it.
  if (!client.oidcDisabled) oidc.enableNonRepudiationChecks(configuration);
  // The model lets plain HTTP through for this machine alone.
  if (isPlain) oidc.allowInsecureRequests(configuration);
  return configuration;
}

async function discover(
  issuer: string,
  clientId: string,
  customFetch: oidc.CustomFetch,
  isPlain: boolean,
): Promise<oidc.ServerMetadata> {
  const found = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
    execute: isPlain ? [oidc.allowInsecureRequests] : [],
    timeout: deadlineSeconds,
    [oidc.customFetch]: customFetch,
  });
  return { ...found.serverMetadata() };
}

function authenticationOf(
  secret: string | undefined,
  client: OAuthClient,
  { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] }: oidc.ServerMetadata,
): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  // Providers of plain OAuth 2.0 often know the secret in the body only.
  const byHeader = !client.oidcDisabled && methods.includes('client_secret_basic');
  return byHeader ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

type Claims = Readonly<Record<string, unknown>>;

/** Of the ID token, completed by userinfo where that is needed and to be had. */
async function verifiedClaims(
  configuration: oidc.Configuration,
  client: OAuthClient,
  answer: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
): Promise<Claims> {
  const claims: Claims = answer.claims() ?? {};
  const { sub, azp } = claims;
  if (typeof sub !== 'string' || sub === '') throw refused(client, 'it did not say who logged in');
  // OpenID Connect Core §3.1.3.7: the library looks at azp only where there are several audiences.
  if (azp !== undefined && azp !== client.clientId)
    throw refused(client, 'its token was issued to another client');
  const hasUserinfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
  if (claims[client.loginPrincipalClaim] !== undefined || !hasUserinfo) return claims;
  try {
    return { ...(await oidc.fetchUserInfo(configuration, answer.access_token, sub)), ...claims };
  } catch (error) {
    // A token for another resource is not taken there: then nobody says more. A lie about who it is, is one.
    if (error instanceof oidc.ClientError && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
      throw error;
    return claims;
  }
}

/** Plain OAuth 2.0 says nothing of people. What an access token says, if anything, is a label, and is trusted for nothing. */
function looseClaims(accessToken: string): Claims {
  try {
    return decodeJwt(accessToken);
  } catch {
    return {};
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const controls = /[\u0000-\u001f\u007f]/g;

/** As a label: one line, not too long. */
const shown = (value: unknown): string =>
  typeof value === 'string' ? value.toWellFormed().replace(controls, ' ').slice(0, 255) : '';

const refused = (client: OAuthClient, why: string, cause?: unknown): HaicError =>
  invalid('login_refused', `Connecting with ${titleOf(client)} failed: ${why}. Please start again.`, {
    cause,
  });

const refusesHaic = (client: OAuthClient, why: string, cause: unknown): HaicError =>
  invalid(
    'failed_precondition',
    `${titleOf(client)} refuses Haic as its client ("${shown(why).slice(0, 100)}"). An administrator has to look at the OAuth client and at what is registered there.`,
    { cause },
  );

/** Failures of the way, not of what was said. */
const unreachable = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM']);

/** Tells a provider that said no, or what is not true, from one that could not be asked. No message has anything secret in it. */
async function explaining<T>(client: OAuthClient, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const own = ownError(error);
    if (own !== undefined) throw own;
    if (error instanceof oidc.AuthorizationResponseError)
      throw refused(
        client,
        `it said "${shown(error.error_description ?? error.error).slice(0, 200)}"`,
        error,
      );
    if (error instanceof oidc.ResponseBodyError && error.status < 500) {
      if (error.error === 'invalid_grant')
        throw refused(client, 'it did not accept the answer of the browser', error);
      throw refusesHaic(client, error.error, error);
    }
    // With a challenge for whoever authenticated in the header (RFC 6749 §5.2), as for a secret that is no longer the client's.
    if (error instanceof oidc.WWWAuthenticateChallengeError && error.status < 500)
      throw refusesHaic(client, error.cause[0]?.parameters.error ?? `status ${error.status}`, error);
    const code = error instanceof oidc.ClientError ? error.code : undefined;
    if (code?.startsWith('OAUTH_') === true && !unreachable.has(code))
      throw refused(client, 'its answer cannot be trusted', error);
    throw unavailable(
      'provider_unavailable',
      `${titleOf(client)} cannot be reached (${messageOf(error)}). Try again in a moment.`,
      { cause: error },
    );
  }
}

/** Libraries wrap what they are thrown. */
function ownError(error: unknown): HaicError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof HaicError) return at;
  return undefined;
}
