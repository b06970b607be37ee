import { deadline } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson, type Fetch } from '@haic/kit/http/client.ts';
import { CommandError, exitCodes } from '../terminal.ts';
import { commandName } from './command-name.ts';
import type { CliConfig, ServiceAccount } from './config-file.ts';
import { withAddress } from './connection.ts';

interface OfClient {
  readonly tokenEndpoint: (fetch: Fetch) => Promise<string>;
  readonly clientId: string;
  /** Where to get a new one, and the command that takes it. */
  readonly renewal: string;
}

const tokenEndpointOf = (config: CliConfig) => async (fetch: Fetch) => {
  const issuer = config.OIDCAddress ?? (await issuerOf(fetch, config.Endpoint));
  return `${issuer.replace(/\/+$/, '')}/protocol/openid-connect/token`;
};

async function issuerOf(fetch: Fetch, endpoint: string): Promise<string> {
  try {
    const address = `${endpoint}/.ai.h2o.cloud.discovery/v1/environment`;
    const answer = await callJson<{ environment: { issuerUrl: string } }>(fetch, address, {
      signal: deadline(15_000),
    });
    return answer.environment.issuerUrl;
  } catch (error) {
    throw withAddress(error, endpoint);
  }
}

/** A refresh token of a person. */
export interface PersonCredential extends OfClient {
  readonly refreshToken: string;
}

/** A service account with its secret. */
export interface AccountCredential extends OfClient {
  readonly clientSecret: string;
}

export type Credential = PersonCredential | AccountCredential;

/** What acts at the App Store: the CLI's own token, else the platform's. */
export function storeCredential(config: CliConfig & { account?: ServiceAccount }): Credential {
  if (config.account !== undefined) return accountCredential(config, config.account);
  if (config.Token === undefined || config.ClientID === undefined) return platformCredential(config);
  return {
    tokenEndpoint: tokenEndpointOf(config),
    clientId: config.ClientID,
    refreshToken: config.Token,
    renewal: `Get a new one at ${config.Endpoint}/auth/get-token, then: ${commandName} config update-token`,
  };
}

export const accountCredential = (config: CliConfig, account: ServiceAccount): AccountCredential => ({
  tokenEndpoint: tokenEndpointOf(config),
  ...account,
  renewal: 'It was replaced, disabled or removed: an administrator sees it under Admin, Service accounts.',
});

/** What acts at every service. */
export function platformCredential(config: CliConfig): PersonCredential {
  const renewal = `${config.Endpoint}/auth/get-platform-token, then: ${commandName} config update-platform-token`;
  if (config.PlatformToken === undefined || config.PlatformClientID === undefined)
    throw new CommandError(
      `The CLI configuration holds no such token. Get one at ${renewal}`,
      exitCodes.signInNeeded,
    );
  return {
    tokenEndpoint: tokenEndpointOf(config),
    clientId: config.PlatformClientID,
    refreshToken: config.PlatformToken,
    renewal: `Get a new one at ${renewal}`,
  };
}

/** Gives an access token each time, a new one shortly before the last one ends: for commands that go on for hours. */
export function tokenSource(fetch: Fetch, credential: Credential): () => Promise<string> {
  let current: { token: string; renewAt: number } | undefined;
  return async () => {
    if (current !== undefined && Date.now() < current.renewAt) return current.token;
    const answer = await exchange(fetch, credential);
    const seconds = answer.expires_in ?? 30;
    current = {
      token: answer.access_token,
      renewAt: Date.now() + (seconds - Math.min(30, seconds / 2)) * 1000,
    };
    return current.token;
  };
}

async function exchange(
  fetch: Fetch,
  credential: Credential,
): Promise<{ access_token: string; expires_in?: number }> {
  const tokenEndpoint = await credential.tokenEndpoint(fetch);
  try {
    return await callJson(fetch, tokenEndpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(grantOf(credential)).toString(),
      signal: deadline(15_000),
    });
  } catch (error) {
    if (error instanceof HaicError && error.status === 401 && 'clientSecret' in credential)
      throw new CommandError(
        `The service account ${credential.clientId} is refused. ${credential.renewal}`,
        exitCodes.signInNeeded,
      );
    if (error instanceof HaicError && error.status === 400)
      throw new CommandError(`The token is no longer valid. ${credential.renewal}`, exitCodes.signInNeeded);
    throw withAddress(error, new URL(tokenEndpoint).origin);
  }
}

const grantOf = (credential: Credential): Record<string, string> =>
  'clientSecret' in credential
    ? {
        grant_type: 'client_credentials',
        client_id: credential.clientId,
        client_secret: credential.clientSecret,
      }
    : {
        grant_type: 'refresh_token',
        client_id: credential.clientId,
        refresh_token: credential.refreshToken,
      };
