import { createKeySet, type KeySource } from '@haic/kit/auth/key-set.ts';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import { errors as joseErrors, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { type Claims, claimAt, claimsOfInterest } from './profile.ts';
import type { UpstreamProvider } from './provider-settings.ts';

/** What ties an answer to the browser that asked (RFC 9700 §2.1.1): in a sealed cookie meanwhile, and nowhere else. */
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

export interface Vouched {
  readonly subject: string;
  readonly claims: Claims;
  /** Proof at sign-out of whose session is to end there. */
  readonly idToken: string;
}

/** Another organisation's OpenID provider, as Haic is its client. */
export interface Upstream {
  readonly provider: UpstreamProvider;
  signInUrl(challenge: Challenge, hints: { login?: string; again: boolean }): Promise<string>;
  /** Redeems the code of `callback`, the address that the browser came back to. Throws `sign_in_refused` for every lie. */
  redeem(callback: URL, challenge: Challenge): Promise<Vouched>;
  /** Undefined when the provider cannot be signed out of by an address. */
  signOutUrl(idToken: string, returnTo: string, state: string): Promise<string | undefined>;
}

const deadlineSeconds = 10;
/** After this the provider is asked anew where its endpoints are. Its keys are asked for sooner: for every unknown one. */
const knownForMs = 60 * 60 * 1000;
/** A provider may change its key at any moment, also just before it signs (OpenID Connect Core §10.1.1): an unknown one is asked for at once. */
const keyTimes = { freshForMs: 10 * 60_000, askAgainAfterMs: 1_000 };
/** Asymmetric ones: neither a public key nor the client's secret signs an ID token. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

export function createUpstream(options: {
  provider: UpstreamProvider;
  redirectUri: string;
  fetch: Fetch;
  now: () => Date;
}): Upstream {
  const { provider } = options;
  let known: { configuration: Promise<oidc.Configuration>; until: number } | undefined;
  let keys: { readonly url: string; readonly find: KeySource } | undefined;
  /** At first use and again after a failure: Haic, and signing in by password, go on without it. */
  const configuration = (): Promise<oidc.Configuration> => {
    if (known !== undefined && known.until > options.now().getTime()) return known.configuration;
    const asked = discover(provider, options.fetch);
    const entry = { configuration: asked, until: options.now().getTime() + knownForMs };
    known = entry;
    asked.catch(() => {
      if (known === entry) known = undefined;
    });
    return asked;
  };
  const asking = <T>(work: () => Promise<T>) => explaining(provider, work);

  /**
   * The way the token came by is no proof of who made it. Verified here and not by the client library, which asks for an unknown key once a
   * minute at most.
   */
  const verifySignature = async (client: oidc.Configuration, idToken: string): Promise<void> => {
    const url = client.serverMetadata().jwks_uri ?? '';
    if (keys?.url !== url) keys = { url, find: createKeySet({ url, fetch: options.fetch, times: keyTimes }) };
    // Its claims, times included, were checked before.
    await jwtVerify(idToken, keys.find, { algorithms, clockTolerance: 30 });
  };

  return {
    provider,

    signInUrl: (challenge, hints) =>
      asking(async () => {
        const parameters = {
          redirect_uri: options.redirectUri,
          scope: provider.scopes.join(' '),
          state: challenge.state,
          nonce: challenge.nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(challenge.verifier),
          code_challenge_method: 'S256',
          ...(hints.login === undefined ? {} : { login_hint: hints.login }),
          ...(hints.again ? { prompt: 'login' } : {}),
        };
        return oidc.buildAuthorizationUrl(await configuration(), parameters).href;
      }),

    redeem: (callback, challenge) =>
      asking(async () => {
        const client = await configuration();
        const response = await oidc.authorizationCodeGrant(client, callback, {
          expectedState: challenge.state,
          expectedNonce: challenge.nonce,
          pkceCodeVerifier: challenge.verifier,
          idTokenExpected: true,
        });
        await verifySignature(client, response.id_token ?? '');
        const claims: Claims = response.claims() ?? {};
        const { sub } = claims;
        checkSubject(sub);
        // OpenID Connect Core §3.1.3.7, steps 4 and 5: the library looks at azp only when there are several audiences.
        if (claims.azp !== undefined && claims.azp !== provider.clientId)
          throw refused(provider, 'its token was issued to another client');
        const complete = await withUserinfo(client, provider, claims, response.access_token, sub);
        return { subject: sub, claims: complete, idToken: response.id_token ?? '' };
      }),

    signOutUrl: (idToken, returnTo, state) =>
      asking(async () => {
        const client = await configuration();
        if (client.serverMetadata().end_session_endpoint === undefined) return undefined;
        const parameters = { id_token_hint: idToken, post_logout_redirect_uri: returnTo, state };
        return oidc.buildEndSessionUrl(client, parameters).href;
      }),
  };
}

async function discover(provider: UpstreamProvider, fetch: Fetch): Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret } = provider;
  const customFetch: oidc.CustomFetch = (url, init) => fetch(url, init as RequestInit);
  const plain = new URL(issuer).protocol === 'http:';
  const found = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
    execute: plain ? [oidc.allowInsecureRequests] : [],
    timeout: deadlineSeconds,
    [oidc.customFetch]: customFetch,
  });
  const metadata = found.serverMetadata();
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication = methods.includes('client_secret_basic')
    ? oidc.ClientSecretBasic(clientSecret)
    : oidc.ClientSecretPost(clientSecret);
  const client = new oidc.Configuration(metadata, clientId, undefined, authentication);
  client.timeout = deadlineSeconds;
  client[oidc.customFetch] = customFetch;
  // Plain HTTP is loopback's only: the settings refuse it for any other address.
  if (plain) oidc.allowInsecureRequests(client);
  return client;
}

/** OpenID Connect Core §2: at most 255 ASCII characters. */
function checkSubject(sub: unknown): asserts sub is string {
  if (typeof sub !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(sub))
    throw new HaicError('sign_in_refused', 400, 'The provider did not say who signed in.');
}

/** Many providers put into the ID token only who it is, and the rest at the userinfo endpoint, whose `sub` must be the same. */
async function withUserinfo(
  client: oidc.Configuration,
  provider: UpstreamProvider,
  claims: Claims,
  accessToken: string,
  subject: string,
): Promise<Claims> {
  const complete = claimsOfInterest(provider).every((name) => claimAt(claims, name) !== undefined);
  if (complete || client.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...(await oidc.fetchUserInfo(client, accessToken, subject)), ...claims };
}

const refused = ({ title }: UpstreamProvider, why: string, cause?: unknown) =>
  new HaicError('sign_in_refused', 400, `Signing in at ${title} failed: ${why}. Please start again.`, {
    cause,
  });

/** Failures of the way, not of what was said. */
const unreachable = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM']);

/** Tells a provider that said no, or said what is not true, from one that could not be asked. */
async function explaining<T>(provider: UpstreamProvider, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HaicError) throw error;
    if (error instanceof oidc.AuthorizationResponseError)
      throw refused(provider, `it said "${(error.error_description ?? error.error).slice(0, 200)}"`, error);
    if (error instanceof joseErrors.JOSEError) throw refused(provider, 'its answer cannot be trusted', error);
    if (error instanceof oidc.ResponseBodyError && error.status < 500)
      throw refused(provider, 'it did not accept the answer of the browser', error);
    const code = error instanceof oidc.ClientError ? error.code : undefined;
    if (code?.startsWith('OAUTH_') === true && !unreachable.has(code))
      throw refused(provider, 'its answer cannot be trusted', error);
    throw unavailable(
      'issuer_unavailable',
      `${provider.title} cannot be reached (${messageOf(error)}). Try again in a moment, or use a password of Haic’s.`,
      { cause: error },
    );
  }
}
