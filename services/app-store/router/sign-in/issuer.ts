import { createKeySet, type KeySetTimes, type KeySource } from '@haic/kit/auth/key-set.ts';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import { errors as joseErrors, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import type { Person } from '../model.ts';
import type { ClientCredentials } from '../options.ts';

/** What the issuer gave for a person, verified. */
export interface GrantedTokens {
  readonly person: Person;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  readonly issuerSid: string | undefined;
  /** Milliseconds since the epoch. */
  readonly accessExpiresAt: number;
}

/** What one sign-in must find again at its callback (RFC 9700 §2.1.1). */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Public clients whose tokens a person may fetch for scripts. */
export type PersonalTokenKind = 'platform' | 'cli';

export interface Issuer {
  newChallenge(): Challenge;
  signInUrl(challenge: Challenge): Promise<string>;
  redeem(callback: URL, challenge: Challenge): Promise<GrantedTokens>;
  /** `refused` when the issuer says that the grant is over; throws when it cannot be asked. */
  refresh(refreshToken: string): Promise<GrantedTokens | 'refused'>;
  signOutUrl(idToken: string | undefined): Promise<string>;
  personalTokenUrl(kind: PersonalTokenKind, challenge: Challenge): Promise<string>;
  redeemPersonalToken(
    kind: PersonalTokenKind,
    callback: URL,
    challenge: Challenge,
  ): Promise<{ refreshToken: string; subject: string }>;
  /** Asks, without a page, for a lasting token of an app's client; core redeems it. */
  appGrantUrl(clientId: string, challenge: Challenge): Promise<string>;
  /** Of the router's own client, for its own work. */
  serviceToken(): Promise<string>;
  keys(): Promise<KeySource>;
}

export interface IssuerOptions {
  readonly issuer: string;
  readonly publicUrl: string;
  readonly portalClient: ClientCredentials;
  readonly serviceClient: ClientCredentials;
  readonly verifyToken: TokenVerifier;
  readonly fetch: Fetch;
  readonly keyTimes: KeySetTimes;
}

/** Where the issuer answers about what an app may do for its owner. */
export const appGrantCallback = '/auth/app-grant/callback';
const portalScope = 'openid profile email';
/** Asymmetric ones: no public key is ever taken for a secret. */
const signatureAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const personalClients = { platform: wellKnownClients.platform, cli: wellKnownClients.cli } as const;
const personalCallbacks = {
  platform: '/auth/get-platform-token/callback',
  cli: '/auth/get-token/callback',
} as const;

/** The OpenID issuer as the router uses it. Discovered at first use: the router starts, and serves apps, without it. */
export function createIssuer(options: IssuerOptions): Issuer {
  const { publicUrl } = options;
  const configurations = new Map<string, Promise<oidc.Configuration>>();

  const configurationOf = (
    clientId: string,
    authentication: oidc.ClientAuth,
  ): Promise<oidc.Configuration> => {
    const known = configurations.get(clientId);
    if (known !== undefined) return known;
    const discovered = discover(options, clientId, authentication);
    configurations.set(clientId, discovered);
    discovered.catch(() => configurations.delete(clientId));
    return discovered;
  };
  const portal = () =>
    configurationOf(options.portalClient.id, oidc.ClientSecretBasic(options.portalClient.secret));
  const service = () =>
    configurationOf(options.serviceClient.id, oidc.ClientSecretBasic(options.serviceClient.secret));
  const personal = (kind: PersonalTokenKind) => configurationOf(personalClients[kind], oidc.None());

  const granted = async (response: TokenResponse, subject?: string): Promise<GrantedTokens> => {
    const principal = await options.verifyToken(response.access_token);
    const claims = response.claims();
    const expected = claims?.sub ?? subject;
    if (expected !== undefined && principal.subject !== expected)
      throw refusedSignIn('The sign-in service answered with tokens of two different people.');
    if (principal.party !== options.portalClient.id)
      throw refusedSignIn('The sign-in service answered with a token of another client.');
    const { subject: sub, username, name, email, roles, groups } = principal;
    return {
      person: { subject: sub, username, name, email, roles, groups },
      accessToken: response.access_token,
      refreshToken: response.refresh_token,
      idToken: response.id_token,
      issuerSid: typeof claims?.sid === 'string' ? claims.sid : undefined,
      accessExpiresAt: principal.expiresAt * 1000,
    };
  };

  const authorizationUrl = async (
    configuration: oidc.Configuration,
    redirect: string,
    scope: string,
    challenge: Challenge,
  ) =>
    oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: `${publicUrl}${redirect}`,
      scope,
      state: challenge.state,
      nonce: challenge.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(challenge.verifier),
      code_challenge_method: 'S256',
    }).href;

  let keySet: KeySource | undefined;
  const keys = async (): Promise<KeySource> => {
    keySet ??= createKeySet({
      url: (await portal()).serverMetadata().jwks_uri ?? '',
      fetch: options.fetch,
      times: options.keyTimes,
    });
    return keySet;
  };

  /**
   * The way the token came by is no proof of who made it. Verified here and not by the client library, which believes the keys that it
   * once saw for minutes: after a key leaked and was replaced, people are to sign in at once.
   */
  const withGenuineIdToken = async (response: TokenResponse): Promise<TokenResponse> => {
    if (response.id_token !== undefined) {
      // Its claims, times included, were checked before.
      const check = { algorithms: signatureAlgorithms, clockTolerance: 30 };
      await jwtVerify(response.id_token, await keys(), check);
    }
    return response;
  };

  const redeemCode = async (configuration: oidc.Configuration, callback: URL, challenge: Challenge) =>
    withGenuineIdToken(
      await oidc.authorizationCodeGrant(configuration, callback, {
        expectedState: challenge.state,
        expectedNonce: challenge.nonce,
        pkceCodeVerifier: challenge.verifier,
        idTokenExpected: true,
      }),
    );

  let serviceToken: { token: string; until: number } | undefined;

  return {
    newChallenge: () => ({
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
    }),
    signInUrl: (challenge) =>
      asking(async () => authorizationUrl(await portal(), '/oauth2/callback', portalScope, challenge)),
    redeem: (callback, challenge) =>
      asking(async () => granted(await redeemCode(await portal(), callback, challenge))),
    refresh: (refreshToken) =>
      asking(async () => {
        try {
          const response = await oidc.refreshTokenGrant(await portal(), refreshToken);
          return await granted(await withGenuineIdToken(response));
        } catch (error) {
          if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return 'refused';
          throw error;
        }
      }),
    signOutUrl: (idToken) =>
      asking(
        async () =>
          oidc.buildEndSessionUrl(await portal(), {
            post_logout_redirect_uri: `${publicUrl}/`,
            ...(idToken === undefined ? {} : { id_token_hint: idToken }),
          }).href,
      ),
    personalTokenUrl: (kind, challenge) =>
      asking(async () =>
        authorizationUrl(await personal(kind), personalCallbacks[kind], 'openid offline_access', challenge),
      ),
    redeemPersonalToken: (kind, callback, challenge) =>
      asking(async () => {
        const response = await redeemCode(await personal(kind), callback, challenge);
        const subject = response.claims()?.sub;
        if (response.refresh_token === undefined || subject === undefined)
          throw refusedSignIn('The sign-in service gave no lasting token.');
        return { refreshToken: response.refresh_token, subject };
      }),
    appGrantUrl: (clientId, challenge) =>
      asking(async () => {
        const { issuer } = (await portal()).serverMetadata();
        const asked = new oidc.Configuration((await portal()).serverMetadata(), clientId);
        if (new URL(issuer).protocol === 'http:') oidc.allowInsecureRequests(asked);
        const url = new URL(
          await authorizationUrl(asked, appGrantCallback, 'openid offline_access', challenge),
        );
        url.searchParams.set('prompt', 'none');
        return url.href;
      }),
    serviceToken: () =>
      asking(async () => {
        if (serviceToken !== undefined && serviceToken.until > Date.now()) return serviceToken.token;
        const response = await oidc.clientCredentialsGrant(await service());
        serviceToken = {
          token: response.access_token,
          until: Date.now() + ((response.expiresIn() ?? 60) - 30) * 1000,
        };
        return serviceToken.token;
      }),
    keys: () => asking(keys),
  };
}

type TokenResponse = Awaited<ReturnType<typeof oidc.refreshTokenGrant>>;

async function discover(
  options: IssuerOptions,
  clientId: string,
  authentication: oidc.ClientAuth,
): Promise<oidc.Configuration> {
  const plain = new URL(options.issuer).protocol === 'http:';
  return oidc.discovery(new URL(options.issuer), clientId, undefined, authentication, {
    // Plain HTTP is loopback's only: the router refuses other addresses without TLS.
    execute: plain ? [oidc.allowInsecureRequests] : [],
    timeout: 10,
    [oidc.customFetch]: (url, init) => options.fetch(url, init as RequestInit),
  });
}

export const refusedSignIn = (message: string, cause?: unknown) =>
  new HaicError('sign_in_refused', 400, message, cause === undefined ? {} : { cause });

/** Tells an issuer that said no from one that could not be asked. */
async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HaicError) throw error;
    if (error instanceof oidc.AuthorizationResponseError)
      throw refusedSignIn(`The sign-in service said: ${error.error_description ?? error.error}.`, error);
    const refused =
      error instanceof joseErrors.JOSEError ||
      (error instanceof oidc.ResponseBodyError && error.status < 500) ||
      (error instanceof oidc.ClientError &&
        error.code !== undefined &&
        /^OAUTH_(INVALID|JWT)/.test(error.code));
    if (refused) throw refusedSignIn('This sign-in is not valid (any more). Please start again.', error);
    throw unavailable(
      'issuer_unavailable',
      `The sign-in service cannot be reached (${messageOf(error)}). Try again in a moment.`,
      { cause: error },
    );
  }
}
