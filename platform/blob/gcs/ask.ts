import type { Readable } from 'node:stream';
import { unavailable } from '@haic/kit/errors.ts';
import type * as Sdk from 'google-auth-library';

/** One question to Google's API. Paths begin at the endpoint; what a query has as undefined is left out. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: object;
  /** What an object is made of: its attributes, and its content as it comes. */
  readonly upload?: { readonly attributes: object; readonly content: AsyncIterable<Buffer> };
  readonly signal: AbortSignal;
}

export interface Asking {
  /** Answers are small. Asked again, twice, when Google has nothing to say to a question that may be repeated. */
  forJson<T>(question: Question): Promise<T>;
  /** The content must be read to its end or destroyed. */
  forContent(question: Question): Promise<{ headers: Headers; content: Readable }>;
}

/** An answer that is none, as Google puts it; without a status it did not answer. */
export class GcsFailure extends Error {
  readonly status: number | undefined;
  constructor(cause: Sdk.gaxios.GaxiosError) {
    const data: unknown = cause.response?.data;
    super(typeof data === 'string' ? data : cause.message, { cause });
    this.status = cause.response?.status;
  }
}

/** Reading, writing and deleting objects; no buckets, no policies. */
const scopes = ['https://www.googleapis.com/auth/devstorage.read_write'];
/** Objects are asked for by bucket. Without a project the library looks for one first, by a right that Haic needs for nothing else. */
const projectId = 'none';
const answerWithinMs = 60_000;

/**
 * Who asks is Haic's identity there, as Google's own tools find it: GOOGLE_APPLICATION_CREDENTIALS, workload identity, the machine's
 * account. To an address without TLS (an emulator's) it is never shown.
 */
export function createAsking(sdk: typeof Sdk, endpoint: string): Asking {
  const transport = new sdk.gaxios.Gaxios();
  const identity = endpoint.startsWith('https:') ? new sdk.GoogleAuth({ scopes, projectId }) : undefined;

  async function ask<T>(question: Question, how: { responseType: 'json' | 'stream'; timeout?: number }) {
    const { method, path, query = {}, json, upload, signal } = question;
    const url = new URL(endpoint + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    signal.throwIfAborted();
    const headers = new Headers((await identity?.getRequestHeaders(url.href).catch(refuse)) ?? {});
    for (const [name, value] of Object.entries(question.headers ?? {})) headers.set(name, value);
    // After a lost answer a condition would be found broken by what was done: such a question is asked once.
    const repeatable = upload === undefined && query.ifGenerationMatch === undefined;
    const answer = transport.request<T>({
      url,
      method,
      headers,
      signal,
      ...how,
      ...(json === undefined ? {} : { data: json }),
      ...(upload === undefined ? {} : { multipart: multipartOf(upload) }),
      retryConfig: { retry: repeatable ? 2 : 0, noResponseRetries: 2, httpMethodsToRetry: [method] },
    });
    return answer.catch((error: unknown) => {
      throw error instanceof sdk.gaxios.GaxiosError ? new GcsFailure(error) : error;
    });
  }

  return {
    forJson: async <T>(question: Question) => {
      const timeout = question.upload === undefined ? { timeout: answerWithinMs } : {};
      return (await ask<T>(question, { responseType: 'json', ...timeout })).data;
    },
    forContent: async (question) => {
      const { headers, data } = await ask<Readable>(question, { responseType: 'stream' });
      return { headers, content: data };
    },
  };
}

const multipartOf = ({ attributes, content }: NonNullable<Question['upload']>) => [
  { headers: new Headers({ 'content-type': 'application/json' }), content: JSON.stringify(attributes) },
  { headers: new Headers({ 'content-type': 'application/octet-stream' }), content: content as Readable },
];

function refuse(error: unknown): never {
  throw unavailable(
    'storage_unavailable',
    'There is no identity to show to Google Cloud Storage: set GOOGLE_APPLICATION_CREDENTIALS, or run Haic with workload identity or as an account of the machine. Nothing was changed.',
    { cause: error },
  );
}
