import { deadline } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson, callService } from '@haic/kit/http/client.ts';
import { CommandError, exitCodes } from '../terminal.ts';
import { configPath, readCliConfig } from './config-file.ts';

export interface App {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly owner: { readonly username: string };
  readonly visibility: string;
  readonly tags: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Instance {
  readonly id: string;
  readonly app: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly title: string;
  };
  readonly owner: { readonly username: string };
  readonly visibility: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly url: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** ISO 8601; null while it is paused and when it never pauses by itself. */
  readonly suspendAt: string | null;
  readonly suspendAfter: number | 'never';
  readonly canManage: boolean;
}

/** The App Store's API as the person of the CLI configuration. */
export interface Api {
  readonly endpoint: string;
  json<T>(
    method: string,
    path: string,
    options?: { json?: unknown; body?: ReadableStream; headers?: Record<string, string> },
  ): Promise<T>;
  stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  all<T>(path: string): Promise<readonly T[]>;
}

export async function connectApi(confFlag: string | undefined): Promise<Api> {
  const config = await readCliConfig(configPath(confFlag));
  const token = await accessToken(config);
  const url = (path: string) => `${config.Endpoint.replace(/\/+$/, '')}${path}`;
  const json: Api['json'] = (method, path, options = {}) =>
    callJson(fetch, url(path), {
      method,
      token,
      signal: deadline(300_000),
      ...options,
      // Node's fetch sends a streamed body only when it is told that the answer comes after it.
      ...(options.body instanceof ReadableStream ? { duplex: 'half' } : {}),
    });
  return {
    endpoint: config.Endpoint,
    json,
    stream: async (path, signal) => {
      const response = await callService(fetch, url(path), { token, signal });
      return response.body ?? new Blob([]).stream();
    },
    all: async <T>(path: string) => {
      const items: T[] = [];
      let pageToken: string | undefined;
      do {
        const separator = path.includes('?') ? '&' : '?';
        const page: { items: readonly T[]; nextPageToken?: string } = await json(
          'GET',
          `${path}${separator}pageSize=100${pageToken === undefined ? '' : `&pageToken=${encodeURIComponent(pageToken)}`}`,
        );
        items.push(...page.items);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      return items;
    },
  };
}

/** A fresh access token from the configured refresh token: the CLI's own, else the platform's. */
export async function accessToken(config: Awaited<ReturnType<typeof readCliConfig>>): Promise<string> {
  const [clientId, refreshToken] =
    config.Token !== undefined
      ? [config.ClientID, config.Token]
      : [config.PlatformClientID, config.PlatformToken];
  if (clientId === undefined || refreshToken === undefined) {
    throw new CommandError(
      'The CLI configuration holds no token. Add one: ./haic config update-token',
      exitCodes.signInNeeded,
    );
  }
  try {
    const answer = await callJson<{ access_token: string }>(
      fetch,
      `${config.OIDCAddress.replace(/\/+$/, '')}/protocol/openid-connect/token`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: clientId,
          refresh_token: refreshToken,
        }).toString(),
        signal: deadline(15_000),
      },
    );
    return answer.access_token;
  } catch (error) {
    if (error instanceof HaicError && error.status === 400) {
      throw new CommandError(
        `The token is no longer valid. Get a new one at ${config.Endpoint}/auth/get-token, then: ./haic config update-token`,
        exitCodes.signInNeeded,
      );
    }
    throw error;
  }
}
