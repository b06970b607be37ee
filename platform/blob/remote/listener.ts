import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { HaicError, invalid, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { BlobStore } from '../port.ts';
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

type Work<V extends keyof Answered> = (
  store: BlobStore,
  asked: Asked[V],
  given: { readonly content: Readable; readonly signal: AbortSignal },
) => Promise<Answered[V]>;

const works: { readonly [V in keyof Answered]: Work<V> } = {
  head: (store, { key }, { signal }) => store.head(key, { signal }),
  delete: async (store, { key, options }, { signal }) => {
    await store.delete(key, { ...options, signal });
    return undefined;
  },
  list: (store, asked, { signal }) => store.list({ ...asked, signal }),
  copy: (store, { source, target, options }, { signal }) =>
    store.copy(source, target, { ...options, signal }),
  createUpload: (store, { key, options }, { signal }) => store.createUpload(key, { ...options, signal }),
  listParts: (store, { upload, options }, { signal }) => store.listParts(upload, { ...options, signal }),
  listUploads: (store, asked, { signal }) => store.listUploads({ ...asked, signal }),
  completeUpload: (store, { upload, parts, options }, { signal }) =>
    store.completeUpload(upload, parts, { ...options, signal }),
  abortUpload: async (store, { upload }, { signal }) => {
    await store.abortUpload(upload, { signal });
    return undefined;
  },
  put: (store, { key, options }, { content, signal }) => store.put(key, content, { ...options, signal }),
  putPart: (store, { upload, partNumber, options }, { content, signal }) =>
    store.putPart(upload, partNumber, content, { ...options, signal }),
};

/**
 * A store for another process of Haic's (`createRemoteBlobStore`). It authorises nobody: whoever reaches it may read and change
 * everything, so it is served in a channel only (`kit/channel`).
 */
export function createBlobServer(store: BlobStore, logger: Logger): Server {
  const server = createServer({ maxHeaderSize, requestTimeout: 0 }, (request, response) => {
    answer(store, request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      const told =
        error instanceof HaicError
          ? { code: error.code, status: error.status, message: error.message, details: error.details }
          : { code: 'internal', status: 500, message: messageOf(error) };
      if (told.status >= 500) logger.warn({ err: error }, 'Objects could not be read or changed.');
      send(response, told.status, told);
    });
  });
  return server;
}

async function answer(store: BlobStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const { signal } = gone;
  const verb = verbOf(request);
  const header = request.headers[messageHeader];
  const asked = parseMessage(typeof header === 'string' ? fromHeader(header) : await text(request));
  if (verb === 'get') return sendContent(store, asked as Asked['get'], response, signal);
  const result = await work(verb, store, asked, { content: contentOf(request), signal });
  send(response, result === undefined ? 204 : 200, result);
}

const work = <V extends keyof Answered>(
  verb: V,
  store: BlobStore,
  asked: unknown,
  given: { readonly content: Readable; readonly signal: AbortSignal },
): Promise<Answered[V]> => works[verb](store, asked as Asked[V], given);

function verbOf({ url = '' }: IncomingMessage): Verb {
  const name = url.slice(1);
  if (name === 'get') return name;
  for (const verb of Object.keys(works) as (keyof Answered)[]) if (verb === name) return verb;
  throw invalid('invalid_request', `"${name}" is no verb of a store.`);
}

/** Apart from the request: a store that refuses a content ends it, and the request still has to be answered. */
function contentOf(request: IncomingMessage): Readable {
  const content = new PassThrough();
  request.once('error', (error) => content.destroy(error));
  request.once('close', () => {
    if (!request.complete) content.destroy(new Error('The content broke off.'));
  });
  content.once('close', () => request.unpipe(content).resume());
  content.on('error', () => {});
  return request.pipe(content);
}

async function sendContent(
  store: BlobStore,
  { key, options }: Asked['get'],
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const found = await store.get(key, { ...options, signal });
  if (found === undefined) return send(response, 204, undefined);
  response.writeHead(200, { [messageHeader]: toHeader(found.info) });
  await pipeline(found.content, response);
}

function send(response: ServerResponse, status: number, message: object | undefined): void {
  if (message === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(message));
}
