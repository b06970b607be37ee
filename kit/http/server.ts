import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import type { CallAudit } from '../audit/call-audit.ts';
import { auditRoutes } from '../audit/routes.ts';
import { type Deed, enforceDeed } from '../auth/party-policy.ts';
import type { Principal } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { fromDatabaseError, HaicError, invalid, notFound, unauthenticated } from '../errors.ts';
import type { Logger } from '../logging.ts';
import type { Meter } from '../telemetry/meter.ts';
import { takeOverRequestId } from '../telemetry/request-id.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import { beginAnswering } from './answering.ts';
import { describeAnswers } from './answers.ts';
import { answerWhileEnding } from './ending.ts';
import { answerOnce } from './idempotency/hook.ts';
import type { IdempotencyStore } from './idempotency/port.ts';
import { measureAnswers } from './measured.ts';
import { knownMethods } from './methods.ts';
import type { RateLimiter } from './rate-limit.ts';
import { validatorCompiler } from './validate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the authentication hook; undefined only on routes declared `public`. Use `principalOf`. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /**
     * Every route is authenticated unless it says why it is public: `{ public: 'health' }`. The reason is shown by the test that
     * lists the public routes.
     */
    public?: string;
    /** Every other route names what it lets one do, for the table of which kind of client may (`kit/auth/party-policy.ts`). */
    deed?: Deed;
    /** A part of the API, for the limit of requests, though its address does not begin like one. */
    counted?: true;
  }
  interface FastifyInstance {
    /** By prefix: addresses under which a refusal has another form than problem JSON. */
    refusalForms: Map<string, RefusalForm>;
  }
}

export type HttpServer = FastifyInstance;

/** Renders a refusal. */
export type RefusalForm = (error: HaicError, request: FastifyRequest, reply: FastifyReply) => FastifyReply;
export type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The HTTP server that every service mounts its routes on: JSON schema validation by TypeBox, bearer authentication by default,
 * errors as problem JSON (RFC 9457) with a stable `code`.
 */
export function createHttpServer(options: {
  logger: Logger;
  verifyToken: TokenVerifier;
  bodyLimit?: number;
  /** Refuse to send what a route's schema does not describe. On unless an installation says otherwise: every test checks. */
  checkAnswers?: boolean;
  /** Without limits by default. */
  rateLimiter?: RateLimiter;
  /** Without one, an `Idempotency-Key` has no effect. */
  idempotency?: IdempotencyStore;
  /** Without one, nothing that routes do is recorded. */
  audit?: CallAudit;
  /** Without one, nothing is measured. */
  meter?: Meter | undefined;
  /** Without one, nothing is traced. */
  tracer?: Tracer | undefined;
  /** Whether this process was told that it is going to end. */
  isEnding?: () => boolean;
}) {
  const refusalForms = new Map<string, RefusalForm>();
  const server = fastify({
    // As the base type, so that what comes out is the plain `HttpServer` that services mount on.
    loggerInstance: options.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: takeOverRequestId,
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    forceCloseConnections: true,
    // More than the router lets through (32 KiB, and headers of its own): what is too long is refused there, in words.
    http: { maxHeaderSize: 64 * 1024 },
    routerOptions: { maxParamLength: 512 },
    // Addresses that the framework itself refuses get the same kind of answer as everything else there.
    frameworkErrors: (error, request, reply) => {
      const form =
        [...refusalForms].find(([prefix]) => request.url.startsWith(`${prefix}/`))?.[1] ?? sendProblem;
      form(asHaicError(error), request, reply);
    },
  })
    .setValidatorCompiler(validatorCompiler)
    .withTypeProvider<TypeBoxTypeProvider>();

  server.addHook('onRoute', ({ url, method, config }) => {
    if (config?.public === undefined && config?.deed === undefined)
      throw new Error(`${method} ${url} says neither why it is public nor which deed it is.`);
  });
  beginAnswering(server, options.tracer);
  answerWhileEnding(server, options.isEnding ?? (() => false));
  if (options.meter !== undefined) measureAnswers(server, options.meter);
  describeAnswers(server, options.checkAnswers ?? true);
  const methodsAt = knownMethods(server);
  const refuseAddress = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = methodsAt(path);
    if (methods.length === 0 || methods.includes(request.method))
      return sendProblem(notFound(`${request.method} ${path}`), request, reply);
    reply.header('allow', methods.join(', '));
    return sendProblem(methodNotAllowed(request.method, methods), request, reply);
  };
  server.decorateRequest('principal', undefined);
  server.decorate('refusalForms', refusalForms);
  const limiter = options.rateLimiter;
  /** Who asks at a public address, if they say so, only to be counted: who is signed in is not held up by their neighbours. */
  const counted = async (request: FastifyRequest): Promise<Principal | undefined> => {
    if (request.headers.authorization === undefined || limiter?.counts(request) !== true) return undefined;
    try {
      return await options.verifyToken(bearerToken(request));
    } catch {
      return undefined;
    }
  };
  server.addHook('onRequest', async (request, reply) => {
    const { public: isPublic, deed } = request.routeOptions.config;
    if (request.is404 || isPublic !== undefined) {
      limiter?.count(request, reply, await counted(request));
      return;
    }
    try {
      request.principal = await options.verifyToken(bearerToken(request));
      if (deed === undefined) throw new Error('A route without a deed was registered.');
      enforceDeed(request.principal, deed);
    } finally {
      // Also, by their address, of those who are refused.
      limiter?.count(request, reply, request.principal);
    }
  });
  auditRoutes(server, options.audit);
  if (options.idempotency !== undefined) answerOnce(server, options.idempotency, options.logger);
  server.setErrorHandler((error, request, reply) =>
    request.is404
      ? refuseAddress(request, reply)
      : sendProblem(asHaicError(fromDatabaseError(error) as FastifyError), request, reply),
  );
  server.setNotFoundHandler((request, reply) => refuseAddress(request, reply));
  return server;
}

/** The verified principal of an authenticated route. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === undefined) throw unauthenticated();
  return request.principal;
}

function bearerToken(request: FastifyRequest): string {
  const match = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '');
  if (match?.[1] === undefined)
    throw unauthenticated('This call needs an access token: Authorization: Bearer <token>.');
  return match[1];
}

const methodNotAllowed = (method: string, methods: readonly string[]) =>
  new HaicError('method_not_allowed', 405, `This address knows ${methods.join(', ')}, and not ${method}.`);

function asHaicError(error: FastifyError): HaicError {
  if (error instanceof HaicError) return error;
  if (error.validation !== undefined) {
    const where = error.validationContext ?? 'request';
    const lines = error.validation.map((v) => `${v.instancePath || '/'} ${v.message ?? 'is not valid'}`);
    return invalid('invalid_request', `The ${where} is not valid: ${lines.join('; ')}.`, { cause: error });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new HaicError('invalid_request', error.statusCode, error.message, { cause: error });
  }
  return new HaicError(
    'internal',
    500,
    'Something went wrong inside Haic. The log has the details under this request id.',
    { cause: error },
  );
}

/** Problem JSON (RFC 9457). The same shape everywhere, so that one function of the portal and the CLI shows them all. */
export function sendProblem(error: HaicError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.status >= 500)
    request.log.error({ err: error.cause ?? error, url: request.url.split('?')[0] }, error.message);
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', 30);
  return reply.code(error.status).type('application/problem+json').send(problemOf(error, request.id));
}

export const problemOf = (error: HaicError, requestId: string) => ({
  type: `urn:haic:error:${error.code}`,
  title: error.code,
  code: error.code,
  status: error.status,
  detail: error.message,
  requestId,
  ...(error.details === undefined ? {} : { details: error.details }),
});
