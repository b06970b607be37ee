import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { conflict, invalid, messageOf, unprocessable } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import type { IdempotencyStore, KeptAnswer } from './port.ts';

/**
 * Creating something twice is worse than not knowing whether it was created. A route with `config: { idempotent: … }` does its work once for
 * each `Idempotency-Key` of a person and client (draft-ietf-httpapi-idempotency-key-header): who asks again within a day gets the first answer
 * again. Only success is kept; after a refusal nothing was made, so the next try is a first one.
 */
export interface Idempotent {
  /** Top-level fields of the answer that are never kept, such as a generated password: they are missing when it is given again. */
  readonly secrets: readonly string[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    idempotent?: Idempotent;
  }
}

interface Work {
  readonly key: string;
  readonly claim: string;
  /** UUID for the thing that is made; the same when an earlier try died half-way. */
  readonly makes: string;
  readonly renewing: NodeJS.Timeout;
  content: string | undefined;
}

const header = 'idempotency-key';
const works = new WeakMap<FastifyRequest, Work>();

/** The id for what this request creates. A service that finds the thing there already has made it in an earlier try. */
export const idOfNew = (request: FastifyRequest): string => works.get(request)?.makes ?? randomUUID();

/** Tells what a streamed body was, by its SHA-256 in hex, for requests that send it again. */
export function bodyWas(request: FastifyRequest, sha256: string): void {
  const work = works.get(request);
  if (work !== undefined) work.content = sha256;
}

export function answerOnce(server: FastifyInstance, store: IdempotencyStore, logger: Logger): void {
  server.addHook('preHandler', async (request, reply) => {
    const { principal } = request;
    const sent = request.headers[header];
    if (request.routeOptions.config.idempotent === undefined || principal === undefined || sent === undefined)
      return;
    const own = keyOf(sent);
    const key = digest(JSON.stringify([principal.subject, principal.party, own]));
    const found = await store.claim(key);
    if (found.kind === 'claimed') {
      const { claim, makes } = found;
      const content = isStream(request.body) ? undefined : contentOf(request.body, own);
      works.set(request, { key, claim, makes, content, renewing: renewRegularly(store, key, claim, logger) });
      return;
    }
    if (found.kind === 'running') throw inUse(reply, found.retryAfterMs);
    const content = isStream(request.body)
      ? await contentOfStream(request.body)
      : contentOf(request.body, own);
    if (found.fingerprint !== fingerprintOf(request, content)) throw keyReused();
    return replay(reply, found.answer);
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const work = works.get(request);
    if (work === undefined) return;
    works.delete(request);
    clearInterval(work.renewing);
    try {
      const answer = answerToKeep(request, reply, payload);
      if (answer === undefined || work.content === undefined) await store.release(work.key, work.claim);
      else await store.keep(work.key, work.claim, fingerprintOf(request, work.content), answer);
    } catch (error) {
      // What was made is made: better told than kept from the caller.
      logger.error(`An answer could not be kept under its Idempotency-Key (${messageOf(error)}).`);
    }
  });
}

function renewRegularly(store: IdempotencyStore, key: string, claim: string, logger: Logger): NodeJS.Timeout {
  const renew = () =>
    store.renew(key, claim).catch((error: unknown) => {
      logger.warn(`The claim of an Idempotency-Key could not be renewed (${messageOf(error)}).`);
    });
  return setInterval(renew, store.renewEveryMs).unref();
}

/** The draft has a quoted string; clients in the wild send it bare. */
function keyOf(sent: string | string[]): string {
  const text = Array.isArray(sent) ? '' : sent.replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(text))
    throw invalid(
      'invalid_idempotency_key',
      'Idempotency-Key must be one word of 1 to 255 visible ASCII characters, best a UUID.',
    );
  return text;
}

function answerToKeep(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): KeptAnswer | undefined {
  if (reply.statusCode < 200 || reply.statusCode > 299 || typeof payload !== 'string') return undefined;
  const names = ['location', 'content-type'];
  const headers = names.flatMap((name) => {
    const value = reply.getHeader(name);
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return {
    status: reply.statusCode,
    headers: Object.fromEntries(headers),
    body: withoutSecrets(payload, request.routeOptions.config.idempotent?.secrets ?? []),
  };
}

function withoutSecrets(payload: string, secrets: readonly string[]): string {
  if (secrets.length === 0) return payload;
  const fields = Object.entries(JSON.parse(payload) as Record<string, unknown>);
  return JSON.stringify(Object.fromEntries(fields.filter(([name]) => !secrets.includes(name))));
}

const replay = (reply: FastifyReply, answer: KeptAnswer): FastifyReply =>
  reply.code(answer.status).headers(answer.headers).header('idempotent-replayed', 'true').send(answer.body);

const digest = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
/** By the caller's key, which is kept nowhere: a body may hold a password, and its plain digest would let one try which. */
const contentOf = (body: unknown, key: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(body ?? null))
    .digest('hex');

const fingerprintOf = (request: FastifyRequest, content: string): string =>
  `${request.method} ${request.url} ${content}`;

const isStream = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body;

/** Read to its end, without a loop over it, which would close the connection when it is cut short. */
function contentOfStream(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  return new Promise((resolve, reject) => {
    body.on('data', (chunk: Buffer) => hash.update(chunk));
    body.once('end', () => resolve(hash.digest('hex')));
    body.once('error', reject);
    body.once('close', () => reject(invalid('invalid_request', 'The body was cut off.')));
  });
}

function inUse(reply: FastifyReply, retryAfterMs: number) {
  // At most a lease away, and often done sooner.
  reply.header('retry-after', Math.min(5, Math.ceil(retryAfterMs / 1000)));
  return conflict(
    'idempotency_key_in_use',
    'A request with this Idempotency-Key is still being worked on. Ask again in a moment.',
  );
}

export const keyReused = () =>
  unprocessable(
    'idempotency_key_reused',
    'This Idempotency-Key came with another request before. Send a new key with a new request.',
  );
