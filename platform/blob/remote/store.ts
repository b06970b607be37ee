import type { Readable } from 'node:stream';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Target } from '@haic/kit/proxy/client/pool.ts';
import { connectorTo } from '@haic/kit/proxy/connector.ts';
import { Agent, type Dispatcher } from 'undici';
import type { BlobInfo, BlobStore } from '../port.ts';
import {
  type Answered,
  type Asked,
  fromHeader,
  maxHeaderSize,
  messageHeader,
  parseMessage,
  toHeader,
  type Verb,
} from './messages.ts';

export interface RemoteBlobStore extends BlobStore {
  close(): Promise<void>;
}

/** Inside the store a copy of many GiB is one request. */
const longestMs = 600_000;

/** The store that another process of Haic's has (`createBlobServer`). */
export function createRemoteBlobStore(target: Target): RemoteBlobStore {
  const dispatcher = new Agent({
    connect: connectorTo(target),
    connections: 64,
    maxHeaderSize,
    headersTimeout: longestMs,
    bodyTimeout: longestMs,
  });

  async function ask<V extends Verb>(
    verb: V,
    asked: Asked[V],
    signal: AbortSignal,
    content?: Readable,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const answer = await dispatcher.request({
        origin: 'http://objects',
        path: `/${verb}`,
        method: 'POST',
        headers: content === undefined ? {} : { [messageHeader]: toHeader(asked) },
        body: content ?? JSON.stringify(asked),
        signal,
      });
      if (answer.statusCode >= 300) throw refusalOf(await answer.body.text());
      return answer;
    } catch (error) {
      content?.destroy();
      throw explained(error, signal, content);
    }
  }

  async function tell<V extends keyof Answered>(
    verb: V,
    asked: Asked[V],
    signal: AbortSignal,
    content?: Readable,
  ): Promise<Answered[V]> {
    const { statusCode, body } = await ask(verb, asked, signal, content);
    const text = await body.text().catch((error: unknown) => Promise.reject(explained(error, signal)));
    return (statusCode === 204 ? undefined : parseMessage(text)) as Answered[V];
  }

  return {
    put: (key, content, { signal, ...options }) => tell('put', { key, options }, signal, content),
    async get(key, { signal, ...options }) {
      const { statusCode, headers, body } = await ask('get', { key, options }, signal);
      if (statusCode === 204) {
        await body.dump();
        return undefined;
      }
      const info = parseMessage(fromHeader(String(headers[messageHeader]))) as BlobInfo;
      // Undici makes an error of it when the reader has enough; whoever listens hears of those that are some.
      body.on('error', () => {});
      return { info, content: body };
    },
    head: (key, { signal }) => tell('head', { key }, signal),
    delete: (key, { signal, ...options }) => tell('delete', { key, options }, signal),
    list: ({ signal, ...asked }) => tell('list', asked, signal),
    copy: (source, to, { signal, ...options }) => tell('copy', { source, target: to, options }, signal),
    createUpload: (key, { signal, ...options }) => tell('createUpload', { key, options }, signal),
    putPart: (upload, partNumber, content, { signal, ...options }) =>
      tell('putPart', { upload, partNumber, options }, signal, content),
    listParts: (upload, { signal, ...options }) => tell('listParts', { upload, options }, signal),
    listUploads: ({ signal, ...asked }) => tell('listUploads', asked, signal),
    completeUpload: (upload, parts, { signal, ...options }) =>
      tell('completeUpload', { upload, parts, options }, signal),
    abortUpload: (upload, { signal }) => tell('abortUpload', { upload }, signal),
    close: () => dispatcher.close(),
  };
}

function refusalOf(text: string): HaicError {
  const { code, status, message, details } = JSON.parse(text) as {
    code: string;
    status: number;
    message: string;
    details?: Record<string, unknown>;
  };
  return new HaicError(code, status, message, details === undefined ? {} : { details });
}

function explained(error: unknown, signal: AbortSignal, content?: Readable): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof HaicError) return error;
  if (content?.errored) return content.errored;
  return unavailable(
    'storage_unavailable',
    `The process that keeps the objects cannot be reached (${messageOf(error)}). Nothing was changed; try again in a moment.`,
    { cause: error },
  );
}
