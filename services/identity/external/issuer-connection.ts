import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import * as oidc from 'openid-client';
import type { GrantCallback } from '../client.ts';

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

/** The issuer of the organisation, as Haic's own confidential clients talk to it. */
export interface IssuerConnection {
  /** A client's own access token, kept until shortly before it ends. */
  serviceToken(): Promise<string>;
  redeem(
    client: ClientCredentials,
    callback: GrantCallback,
  ): Promise<{ subject: string; refreshToken: string }>;
  /**
   * `disabled` when the issuer says that of the person: the grant is good again when they are. `refused` when it says that the grant is
   * over; throws when it cannot be asked.
   */
  refresh(
    client: ClientCredentials,
    refreshToken: string,
  ): Promise<{ accessToken: string; expiresIn: number } | 'refused' | 'disabled'>;
  /** Whether the issuer has a client of this id and secret. */
  knows(client: ClientCredentials): Promise<boolean>;
  /** As far as the issuer can: a grant that cannot be taken back ends with its client. */
  revoke(client: ClientCredentials, refreshToken: string): Promise<void>;
}

const deadlineSeconds = 10;
/** Keycloak's words, beside `invalid_grant`; of whoever was removed it says the same as of who signed out. */
const saidOfTheDisabled = 'User disabled';
/** Seconds before its end at which the service's token is renewed. */
const renewBefore = 30;

/** Discovered at first use and again after a failure, so that Haic starts, and runs what runs, without its issuer. */
export function createIssuerConnection(options: {
  issuer: string;
  serviceClient: ClientCredentials;
  fetch: Fetch;
}): IssuerConnection {
  let discovered: Promise<oidc.ServerMetadata> | undefined;
  const metadata = () => {
    discovered ??= discover(options).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };
  const as = async ({ id, secret }: ClientCredentials): Promise<oidc.Configuration> => {
    const configuration = new oidc.Configuration(
      await metadata(),
      id,
      undefined,
      oidc.ClientSecretBasic(secret),
    );
    return prepare(configuration, options);
  };

  let own: { token: string; until: number } | undefined;
  return {
    serviceToken: () =>
      asking(async () => {
        if (own !== undefined && own.until > Date.now()) return own.token;
        const response = await oidc.clientCredentialsGrant(await as(options.serviceClient));
        const lifetime = (response.expiresIn() ?? 60) - renewBefore;
        own = { token: response.access_token, until: Date.now() + lifetime * 1000 };
        return own.token;
      }),

    redeem: (client, callback) =>
      asking(async () => {
        const response = await oidc.authorizationCodeGrant(await as(client), new URL(callback.url), {
          expectedState: callback.state,
          expectedNonce: callback.nonce,
          pkceCodeVerifier: callback.verifier,
          idTokenExpected: true,
        });
        const subject = response.claims()?.sub;
        if (subject === undefined || response.refresh_token === undefined)
          throw new HaicError('issuer_answer', 502, 'The sign-in service gave no lasting token.');
        return { subject, refreshToken: response.refresh_token };
      }),

    refresh: (client, refreshToken) =>
      asking(async () => {
        try {
          const response = await oidc.refreshTokenGrant(await as(client), refreshToken);
          return { accessToken: response.access_token, expiresIn: response.expiresIn() ?? 60 };
        } catch (error) {
          const over = error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
          if (over) return error.error_description === saidOfTheDisabled ? 'disabled' : 'refused';
          throw error;
        }
      }),

    // A client that may sign people in needs no more to say who it is than to be wrong about a token (RFC 6749 §5.2).
    knows: (client) =>
      asking(async () => {
        try {
          await oidc.refreshTokenGrant(await as(client), 'none');
          return true;
        } catch (error) {
          if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return true;
          if (isUnknownClient(error)) return false;
          throw error;
        }
      }),

    revoke: (client, refreshToken) =>
      asking(async () => oidc.tokenRevocation(await as(client), refreshToken)),
  };
}

async function discover(options: { issuer: string; fetch: Fetch }): Promise<oidc.ServerMetadata> {
  const configuration = await oidc.discovery(new URL(options.issuer), 'haic', undefined, oidc.None(), {
    ...(isPlain(options.issuer) ? { execute: [oidc.allowInsecureRequests] } : {}),
    timeout: deadlineSeconds,
    [oidc.customFetch]: (url, init) => options.fetch(url, init as RequestInit),
  });
  return configuration.serverMetadata();
}

function prepare(
  configuration: oidc.Configuration,
  options: { issuer: string; fetch: Fetch },
): oidc.Configuration {
  configuration.timeout = deadlineSeconds;
  configuration[oidc.customFetch] = (url, init) => options.fetch(url, init as RequestInit);
  // The way a token came by is no proof of who made it: signatures of ID tokens are verified, too.
  oidc.enableNonRepudiationChecks(configuration);
  if (isPlain(options.issuer)) oidc.allowInsecureRequests(configuration);
  return configuration;
}

/** For trials on one machine; the settings refuse it for any other address. */
const isPlain = (issuer: string) => new URL(issuer).protocol === 'http:';

/** Tells an issuer that said no from one that could not be asked. */
async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HaicError) throw error;
    if (error instanceof oidc.AuthorizationResponseError || isRefusal(error))
      throw new HaicError('issuer_refused', 502, `The sign-in service refused: ${messageOf(error)}.`, {
        cause: error,
      });
    throw unavailable(
      'issuer_unavailable',
      `The sign-in service cannot be reached (${messageOf(error)}). Try again in a moment.`,
      { cause: error },
    );
  }
}

const isUnknownClient = (error: unknown): boolean =>
  error instanceof oidc.WWWAuthenticateChallengeError
    ? error.status === 401
    : error instanceof oidc.ResponseBodyError && error.status === 401;

const isRefusal = (error: unknown): boolean =>
  (error instanceof oidc.ResponseBodyError && error.status < 500) ||
  (error instanceof oidc.ClientError && error.code !== undefined && /^OAUTH_(INVALID|JWT)/.test(error.code));
