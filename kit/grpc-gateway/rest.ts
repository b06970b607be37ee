import { Readable } from 'node:stream';
import type { DescMessage, JsonValue, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { ConnectError, ContextValues, HandlerContext } from '@connectrpc/connect';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { enforceDeed } from '../auth/party-policy.ts';
import type { Principal } from '../auth/principal.ts';
import { HaicError, notFound, tooLarge } from '../errors.ts';
import type { Binding, Routes } from './bindings.ts';
import { httpStatusOf, invalidArgument, statusOf, toRpcError } from './errors.ts';
import { noBody, parseJson } from './json-body.ts';
import { writeField, writeJson } from './json-out.ts';
import { requestOf } from './query.ts';
import { RestContext } from './rest-context.ts';
import type { ServedMethod } from './service.ts';
import { readPath } from './template.ts';

type Answer = MessageInitShape<DescMessage>;
type Unary = (request: MessageShape<DescMessage>, context: HandlerContext) => Answer | Promise<Answer>;
type Streaming = (request: MessageShape<DescMessage>, context: HandlerContext) => AsyncIterable<Answer>;

export interface RestCall {
  /** The address without the prefix, as it came. */
  readonly path: string;
  readonly query: string;
  readonly principal: Principal;
  /** Asked when an implementation asks for them. */
  readonly values: () => ContextValues;
  readonly bodyLimit: number;
}

const begun = new WeakSet<FastifyRequest>();
/** Whether the method had its message: what is refused from then on, it tells of itself. */
export const isBegun = (request: FastifyRequest): boolean => begun.has(request);

/** Answers a call by HTTP and JSON; throws what `refuse` renders. Nothing is waited for that is there: a promise costs as much as a small message. */
export function answerRest(
  routes: Routes,
  call: RestCall,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const path = readPath(call.path);
  if (path === undefined) throw invalidArgument('The address is not percent-encoded UTF-8.');
  const found = routes.find(request.method, path);
  if (found === undefined) throw noSuchAddress(request.method, routes.methodsAt(path), reply);
  const { method, body } = found.binding;
  if (method.deed !== undefined) enforceDeed(call.principal, method.deed);
  const answer = (json: JsonValue) => {
    const message = requestOf(found, call.query, json);
    if (method.audit !== undefined) begun.add(request);
    const context = new RestContext(method, request, reply, call);
    return method.desc.methodKind === 'unary'
      ? answerOnce(found.binding, message, context, reply)
      : answerLines(found.binding, message, context, reply);
  };
  if (body === undefined || !(request.body instanceof Readable)) return answer(noBody);
  return readBody(request.body, request.headers['content-type'], call.bodyLimit).then((bytes) =>
    answer(parseJson(bytes)),
  );
}

function noSuchAddress(method: string, others: readonly string[], reply: FastifyReply): HaicError {
  if (others.length === 0) return notFound(`This address (${method})`);
  reply.header('allow', others.join(', '));
  return new HaicError(
    'method_not_allowed',
    405,
    `This address knows ${others.join(', ')}, and not ${method}.`,
  );
}

/**
 * The body as it came. Clients say that it is JSON, or, where it is empty, anything. By events: an iterator of a stream costs as much as the rest of a
 * small call.
 */
function readBody(stream: Readable, type: string | undefined, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else reject(tooLarge('body_too_large', `The body is larger than ${limit} bytes.`));
    });
    stream.on('end', () => {
      if (size > 0 && !isJson(type)) return reject(notJson());
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (!stream.readableEnded) reject(invalidArgument('The body has ended too early.'));
    });
  });
}

const isJson = (type: string | undefined): boolean =>
  type === undefined || type === 'application/json' || /^[^;]*[/+]json\s*(;|$)/i.test(type);

const notJson = () =>
  new HaicError('unsupported_media_type', 415, 'The body has to be JSON: Content-Type: application/json.');

function answerOnce(
  { method, responseBody }: Binding,
  message: MessageShape<DescMessage>,
  context: RestContext,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const send = (answer: Answer): FastifyReply => {
    context.writeHeaders(reply);
    const json =
      responseBody === undefined
        ? writeJson(method.desc.output, answer, method.json)
        : writeField(responseBody, answer, method.json);
    return sendJson(reply, json);
  };
  const answer = (method.spec.impl as Unary)(message, context);
  return answer instanceof Promise ? answer.then(send) : send(answer);
}

const sendJson = (reply: FastifyReply, json: string): FastifyReply =>
  reply.type('application/json; charset=utf-8').send(json);

/**
 * A stream as lines of JSON, `{"result": …}` each. What goes wrong before the first is an answer like any other; later there is nothing left but
 * a last line `{"error": …}`.
 */
async function answerLines(
  { method }: Binding,
  message: MessageShape<DescMessage>,
  context: RestContext,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answers = (method.spec.impl as Streaming)(message, context)[Symbol.asyncIterator]();
  const first = await answers.next();
  context.writeHeaders(reply);
  const lines = Readable.from(linesOf(method, first, answers, context), { highWaterMark: 16 });
  return reply.type('application/x-ndjson').header('cache-control', 'no-store').send(lines);
}

async function* linesOf(
  method: ServedMethod,
  first: IteratorResult<Answer>,
  answers: AsyncIterator<Answer>,
  context: HandlerContext,
): AsyncGenerator<Buffer> {
  try {
    for (let next = first; next.done !== true; next = await answers.next())
      yield lineOf('result', writeJson(method.desc.output, next.value, method.json));
  } catch (error) {
    yield lineOf('error', JSON.stringify(statusOf(toRpcError(error))));
  } finally {
    if (context.signal.aborted) answers.return?.()?.catch(() => {});
    else await answers.return?.();
  }
}

const lineOf = (name: 'result' | 'error', json: string): Buffer => Buffer.from(`{"${name}":${json}}\n`);

/** `{code, message, details}` under the HTTP status that belongs to it, with what its metadata says as headers. */
export function refuse(error: ConnectError, reply: FastifyReply): FastifyReply {
  const status = httpStatusOf(error);
  error.metadata.forEach((value, name) => void reply.header(name, value));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', 30);
  return sendJson(reply.code(status), JSON.stringify(statusOf(error)));
}
