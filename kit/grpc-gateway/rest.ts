import { Readable } from 'node:stream';
import type { DescMessage, JsonValue, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { ConnectError, ContextValues, HandlerContext } from '@connectrpc/connect';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HaicError, notFound, tooLarge } from '../errors.ts';
import type { Binding, Routes } from './bindings.ts';
import { httpStatusOf, invalidArgument, statusOf, toRpcError } from './errors.ts';
import { noBody, parseJson } from './json-in.ts';
import { writeJson } from './json-out.ts';
import { requestOf } from './query.ts';
import { RestContext } from './rest-context.ts';
import type { ServedMethod } from './service.ts';
import { readPath } from './template.ts';

type Answer = MessageInitShape<DescMessage>;
type Unary = (request: MessageShape<DescMessage>, context: HandlerContext) => Promise<Answer>;
type Streaming = (request: MessageShape<DescMessage>, context: HandlerContext) => AsyncIterable<Answer>;

export interface RestCall {
  /** The address without the prefix, as it came. */
  readonly path: string;
  readonly query: string;
  readonly values: ContextValues;
  readonly bodyLimit: number;
}

/** Answers a call by HTTP and JSON; throws what `refuse` renders. */
export async function answerRest(
  routes: Routes,
  call: RestCall,
  request: FastifyRequest,
  reply: FastifyReply,
  allow: (method: ServedMethod) => void,
): Promise<FastifyReply> {
  const path = readPath(call.path);
  if (path === undefined) throw invalidArgument('The address is not percent-encoded UTF-8.');
  const found = routes.find(request.method, path);
  if (found === undefined) throw noSuchAddress(request.method, routes.methodsAt(path), reply);
  const { binding } = found;
  allow(binding.method);
  const body = binding.body === undefined ? noBody : parseJson(await readBody(request, call.bodyLimit));
  const message = requestOf(found, call.query, body);
  const context = new RestContext(binding.method, request, reply, call.values);
  return binding.method.desc.methodKind === 'unary'
    ? answerOnce(binding, message, context, reply)
    : answerLines(binding, message, context, reply);
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

/** The body as it came. Clients say that it is JSON, or, where it is empty, anything. */
async function readBody(request: FastifyRequest, limit: number): Promise<Buffer> {
  if (!(request.body instanceof Readable)) return Buffer.alloc(0);
  const body = await collect(request.body, limit);
  const type = request.headers['content-type'];
  if (body.length > 0 && type !== undefined && !/^[^;]*[/+]json\s*(;|$)/i.test(type))
    throw new HaicError(
      'unsupported_media_type',
      415,
      'The body has to be JSON: Content-Type: application/json.',
    );
  return body;
}

/** By events: an iterator of a stream costs as much as the rest of a small call. */
function collect(stream: Readable, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else reject(tooLarge('body_too_large', `The body is larger than ${limit} bytes.`));
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.once('close', () => {
      if (!stream.readableEnded) reject(invalidArgument('The body has ended too early.'));
    });
  });
}

async function answerOnce(
  { method, responseBody }: Binding,
  message: MessageShape<DescMessage>,
  context: RestContext,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await (method.spec.impl as Unary)(message, context);
  const json = jsonOf(method, answer);
  context.writeHeaders(reply);
  return sendJson(reply, responseBody === undefined ? json : fieldOf(json, responseBody.jsonName));
}

function jsonOf({ desc, json }: ServedMethod, answer: Answer): JsonValue {
  const { output } = desc;
  // As Connect itself tells a message from what one is made of.
  return writeJson(
    output,
    '$typeName' in answer ? (answer as MessageShape<DescMessage>) : create(output, answer),
    json,
  );
}

const fieldOf = (json: JsonValue, name: string): JsonValue =>
  (typeof json === 'object' && json !== null && !Array.isArray(json) ? json[name] : undefined) ?? {};

const sendJson = (reply: FastifyReply, json: unknown): FastifyReply =>
  reply.type('application/json; charset=utf-8').send(JSON.stringify(json));

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
      yield lineOf({ result: jsonOf(method, next.value) });
  } catch (error) {
    yield lineOf({ error: statusOf(toRpcError(error)) });
  } finally {
    if (context.signal.aborted) answers.return?.()?.catch(() => {});
    else await answers.return?.();
  }
}

const lineOf = (json: unknown): Buffer => Buffer.from(`${JSON.stringify(json)}\n`);

/** `{code, message, details}` under the HTTP status that belongs to it, with what its metadata says as headers. */
export function refuse(error: ConnectError, reply: FastifyReply): FastifyReply {
  const status = httpStatusOf(error);
  error.metadata.forEach((value, name) => void reply.header(name, value));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', 30);
  return sendJson(reply.code(status), statusOf(error));
}
