import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, type HandlerContext } from '@connectrpc/connect';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import { invalidArgument } from './errors.ts';
import type { ServedMethod } from './service.ts';

/** What an implementation learns of a call by HTTP and JSON. Headers, values and the signal are made when they are asked for: few implementations do. */
export class RestContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescService;
  readonly requestMethod: string;
  readonly url: string;
  readonly protocolName = 'rest';
  readonly principal: Principal;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #makeValues: () => ContextValues;
  #values: ContextValues | undefined;
  #controller: AbortController | undefined;
  #ended: ConnectError | undefined;
  readonly #endsAt: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(
    method: ServedMethod,
    request: FastifyRequest,
    reply: FastifyReply,
    caller: { readonly principal: Principal; readonly values: () => ContextValues },
  ) {
    this.method = method.desc;
    this.service = method.desc.parent;
    this.requestMethod = request.method;
    this.url = request.url;
    this.principal = caller.principal;
    this.#makeValues = caller.values;
    this.#request = request;
    this.#reply = reply;
    const timeoutMs = timeoutOf(request.headers['grpc-timeout']);
    if (timeoutMs !== undefined) {
      this.#endsAt = Date.now() + timeoutMs;
      this.#timer = setTimeout(() => this.#end(tooLate()), timeoutMs);
      reply.raw.once('close', () => clearTimeout(this.#timer));
    }
  }

  get values(): ContextValues {
    this.#values ??= this.#makeValues();
    return this.#values;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const { raw } = this.#reply;
      const gone = () => {
        if (!raw.writableEnded) this.#end(new ConnectError('The caller has gone.', Code.Canceled));
      };
      if (raw.closed) gone();
      else raw.once('close', gone);
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  #end(reason: ConnectError): void {
    this.#ended ??= reason;
    this.#controller?.abort(reason);
  }

  timeoutMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, this.#endsAt - Date.now());
  }

  get requestHeader(): Headers {
    if (this.#requestHeader !== undefined) return this.#requestHeader;
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.#request.headers))
      for (const each of [value ?? []].flat()) headers.append(name, each);
    this.#requestHeader = headers;
    return headers;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  /** HTTP/1.1 clients read no trailers: these become headers, where the answer has not begun. */
  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  writeHeaders(reply: FastifyReply): void {
    this.#responseHeader?.forEach((value, name) => void reply.header(name, value));
    this.#responseTrailer?.forEach((value, name) => void reply.header(name, value));
  }
}

const tooLate = () => new ConnectError('The deadline of this call is over.', Code.DeadlineExceeded);

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Node's timers hold no more. */
const longest = 2 ** 31 - 1;

/** `grpc-timeout` as gRPC over HTTP/2 writes it: up to eight digits and a unit. */
function timeoutOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(header));
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw invalidArgument('The header grpc-timeout is no time such as 500m or 10S.');
  return Math.min(longest, Math.ceil(Number(match[1]) * unit));
}
