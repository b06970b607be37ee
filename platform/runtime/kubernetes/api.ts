import { readFile } from 'node:fs/promises';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { type Dispatcher, request as send } from 'undici';

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  readonly status: number;
  /** Kubernetes' word, e.g. `AlreadyExists`, `Conflict`, `Forbidden`, `Expired`. */
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
  }
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Of a list: its objects without what they hold. */
  readonly metadataOnly?: boolean;
  readonly signal: AbortSignal;
}

/** The API server, as one asks it: JSON, or lines as they come. */
export interface KubeApi {
  /** Throws ApiError, or HaicError `runtime_unavailable` (503) while the server cannot be reached. */
  json<T>(call: Call): Promise<T>;
  /** Lines of the answer without their newline, until the server ends it; `quietMs` without a byte are an error. */
  lines(call: Call & { readonly quietMs: number }): AsyncGenerator<string>;
  close(): Promise<void>;
}

const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** A call that nobody else limits; a server that accepts connections and answers nothing must hold nobody up. */
const patienceMs = 30_000;

/**
 * Requests by the official client's configuration and sign-in (kubeconfig, service account, plugins, proxies), over connections that
 * are kept: the client itself opens a pool of its own for each request, and its generated classes take no signal to abort.
 */
export async function connect(kubeconfig: string | undefined): Promise<KubeApi> {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromString(await readFile(kubeconfig, 'utf8'));
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error(`${kubeconfig ?? 'The service account'} names no cluster.`);
  let kept: Dispatcher | undefined;

  async function ask(call: Call, timeouts: { body: number }): Promise<Dispatcher.ResponseData> {
    const address = new URL(server + call.path);
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) address.searchParams.set(name, String(value));
    const context = new RequestContext(address.toString(), HttpMethod.GET);
    // Each time: a token may have been renewed meanwhile. The connections stay.
    await config.applySecurityAuthentication(context);
    kept ??= context.getDispatcher();
    try {
      return await send(address, {
        method: call.method ?? 'GET',
        headers: {
          ...context.getHeaders(),
          accept: call.metadataOnly === true ? metadataList : 'application/json',
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        ...(kept === undefined ? {} : { dispatcher: kept }),
        headersTimeout: patienceMs,
        bodyTimeout: timeouts.body,
        signal: call.signal,
      });
    } catch (error) {
      throw explained(error, call.signal);
    }
  }

  return {
    async json<T>(call: Call): Promise<T> {
      const { statusCode, body } = await ask(call, { body: patienceMs });
      const text = await body.text().catch((error) => Promise.reject(explained(error, call.signal)));
      if (statusCode >= 300) throw refusal(statusCode, text);
      return JSON.parse(text) as T;
    },
    async *lines(call) {
      const { statusCode, body } = await ask(call, { body: call.quietMs });
      if (statusCode >= 300) throw refusal(statusCode, await body.text());
      try {
        yield* splitLines(body.setEncoding('utf8'));
      } catch (error) {
        throw explained(error, call.signal);
      }
    },
    async close() {
      await kept?.destroy();
    },
  };
}

/** A longer line is cut: one line of a hostile log must not fill the memory of whoever reads it. */
const longestLine = 1 << 20;

async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length > longestLine) {
      yield `${rest.slice(0, longestLine)} … [cut]`;
      rest = '';
    }
  }
  if (rest !== '') yield rest;
}

function refusal(status: number, text: string): ApiError {
  const told = (() => {
    try {
      return JSON.parse(text) as { reason?: string; message?: string };
    } catch {
      return { message: text };
    }
  })();
  return new ApiError(status, told.reason ?? '', told.message ?? `The API server answered ${status}.`);
}

function explained(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return unavailable(
    'runtime_unavailable',
    `The Kubernetes API server cannot be reached (${messageOf(error)}). What runs goes on; try again in a moment.`,
    { cause: error },
  );
}

export const isUnreachable = (error: unknown): boolean =>
  error instanceof HaicError && error.code === 'runtime_unavailable';
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;
