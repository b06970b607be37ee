import { randomUUID } from 'node:crypto';
import { deadline, sleep } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson, callService } from '@haic/kit/http/client.ts';
import { readConfig } from './config-file.ts';
import { openConnection, withAddress } from './connection.ts';
import { hintAtNewerVersion } from './newer-version.ts';
import { storeCredential, tokenSource } from './tokens.ts';

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
  /** What of its conditions does not hold any more: a secret is gone, a runtime is deprecated. */
  readonly precondition?: {
    readonly status: string;
    readonly problems: readonly { readonly code: string; readonly message: string }[];
  };
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

/** Which configuration to use, and whom to trust. */
export interface ConnectionFlags {
  readonly conf?: string;
  readonly ca?: string;
}

interface CallOptions {
  readonly json?: unknown;
  readonly body?: ReadableStream;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
}

/** The App Store's API as the person of the CLI configuration. */
export interface Api {
  readonly endpoint: string;
  json<T>(method: string, path: string, options?: CallOptions): Promise<T>;
  stream(
    path: string,
    signal: AbortSignal,
    headers?: Record<string, string>,
  ): Promise<ReadableStream<Uint8Array>>;
  all<T>(path: string): Promise<readonly T[]>;
}

/** What would be made twice, or refused as there already, if it were asked for again after a lost answer. */
const makes = /^\/api\/v1\/(apps\/[^/]+\/instances|secrets)$/;

/** As long as the store itself waits for a run to be accepted, and a little for the way. */
const patienceMs = 310_000;

export async function connectApi(flags: ConnectionFlags): Promise<Api> {
  const config = await readConfig(flags.conf);
  const endpoint = config.Endpoint.replace(/\/+$/, '');
  const fetch = openConnection(flags.ca);
  const token = tokenSource(fetch, storeCredential(config));
  await Promise.all([token(), hintAtNewerVersion(fetch, endpoint)]);
  const call = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw withAddress(error, endpoint);
    });

  const json: Api['json'] = async <T>(
    method: string,
    path: string,
    { timeoutMs = patienceMs, ...options }: CallOptions = {},
  ) => {
    const key = method === 'POST' && makes.test(path) ? { 'idempotency-key': randomUUID() } : undefined;
    const send = async () =>
      callJson<T>(fetch, `${endpoint}${path}`, {
        method,
        token: await token(),
        signal: deadline(timeoutMs),
        ...options,
        // A streamed body is only sent when it is told that the answer comes after it.
        ...(options.body instanceof ReadableStream ? { duplex: 'half' } : {}),
        headers: { ...options.headers, ...key },
      });
    return call(key === undefined ? send() : send().catch((error: unknown) => onceMore(error, send)));
  };
  return {
    endpoint,
    json,
    stream: async (path, signal, headers = {}) => {
      const response = await call(
        callService(fetch, `${endpoint}${path}`, { token: await token(), signal, headers }),
      );
      return response.body ?? new Blob([]).stream();
    },
    all: (path) => allPages(json, path),
  };
}

/** When no answer came: under its key the server makes nothing twice, and says what it made. */
async function onceMore<T>(error: unknown, send: () => Promise<T>): Promise<T> {
  if (!(error instanceof HaicError) || error.code !== 'service_unavailable') throw error;
  await sleep(1000, deadline(5000));
  return send();
}

async function allPages<T>(json: Api['json'], path: string): Promise<readonly T[]> {
  const items: T[] = [];
  let pageToken: string | undefined;
  do {
    const query = new URLSearchParams({ pageSize: '200', ...(pageToken === undefined ? {} : { pageToken }) });
    const page: { items: readonly T[]; nextPageToken?: string } = await json(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}${query}`,
    );
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return items;
}
