import type {
  DescMethod,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
  Registry,
} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  createServiceImplSpec,
  type HandlerContext,
  type MethodImplSpec,
  type ServiceImpl,
} from '@connectrpc/connect';
import type { Deed } from '../auth/party-policy.ts';
import type { Principal } from '../auth/principal.ts';
import { unauthenticated } from '../errors.ts';
import type { Logger } from '../logging.ts';
import { audited, type RpcAudit } from './audited.ts';
import { toRpcError } from './errors.ts';

/** How the JSON form of a service differs from another's: each contract of the H2O AI Cloud has rules of its own. */
export interface JsonRules {
  /** Clients send back what they read, fields of a newer version included, so they are ignored unless a contract says otherwise. */
  readonly unknownFields: 'ignored' | 'refused';
  /** In the query. Ignored as unknown fields are, since proxies and links add their own. */
  readonly unknownQuery: 'ignored' | 'refused';
  /** Python's naive datetimes have no offset, which protobuf refuses. */
  readonly naiveTimestamps: 'utc' | 'refused';
  readonly unsetTimestamps: 'omitted' | 'null';
  /** `nextPageToken` on the last page: the discovery clients loop on `""`, those of the secure store crash without it. */
  readonly emptyPageToken: 'given' | 'omitted';
  /** The messages that a `google.protobuf.Any` may hold. */
  readonly registry?: Registry;
}

export const usualRules: JsonRules = {
  unknownFields: 'ignored',
  unknownQuery: 'ignored',
  naiveTimestamps: 'utc',
  unsetTimestamps: 'omitted',
  emptyPageToken: 'given',
};

interface Choices<Method extends DescMethod = DescMethod> {
  readonly json?: Partial<JsonRules>;
  /** Which kind of client may, beside what the whole mount asks for. */
  readonly deed?: Deed;
  /** What a unary method does, for the audit trail; or, in `unaudited`, why the trail need not hear of it from here. */
  readonly audit?: RpcAudit<MessageShape<Method['input']>>;
  readonly unaudited?: string;
}

export interface ServedMethod {
  readonly desc: DescMethod;
  readonly json: JsonRules;
  readonly deed: Deed | undefined;
  readonly spec: MethodImplSpec;
  readonly audit: RpcAudit<never> | undefined;
  readonly unaudited: string | undefined;
}

export interface ServedService {
  readonly desc: DescService;
  /** By local name. */
  readonly methods: ReadonlyMap<string, ServedMethod>;
}

/** A service with its implementation, to be mounted on an HTTP server (`mount.ts`), a gRPC server (`grpc-server.ts`), or both. */
export function serve<S extends DescService>(
  desc: S,
  implementation: ServiceImpl<S>,
  choices: Omit<Choices, 'audit'> & {
    readonly methods?: { readonly [M in keyof S['method']]?: Choices<S['method'][M]> };
  } = {},
): ServedService {
  const { methods } = createServiceImplSpec<S>(desc, implementation);
  const ofMethod: Readonly<Record<string, Choices | undefined>> = choices.methods ?? {};
  return {
    desc,
    methods: new Map(
      Object.entries(methods).map(([name, spec]) => {
        const own = ofMethod[name];
        const json = { ...usualRules, ...choices.json, ...own?.json };
        const { audit } = own ?? {};
        const told = { audit, unaudited: own?.unaudited ?? choices.unaudited };
        const deed = own?.deed ?? choices.deed;
        return [name, { desc: spec.method, json, deed, ...told, spec: guarded(spec, audit) }];
      }),
    ),
  };
}

export const principalKey = createContextKey<Principal | undefined>(undefined, { description: 'principal' });
/** Set where a router stands in front. Whoever reaches the gRPC listener may claim any address, in any protocol, so there it stays unset. */
export const addressKey = createContextKey('', { description: 'address' });
export const loggerKey = createContextKey<Logger | undefined>(undefined, { description: 'logger' });

/** Who calls, as the verified token says. */
export function callerOf(context: HandlerContext): Principal {
  // Of a call by HTTP and JSON it is at hand (`rest-context.ts`).
  const { principal = context.values.get(principalKey) } = context as HandlerContext & {
    readonly principal?: Principal;
  };
  if (principal === undefined) throw unauthenticated();
  return principal;
}

/**
 * What is thrown becomes what a caller may see, and a deadline ends the call whether the implementation looks at its signal or not. The types of
 * the messages are between `serve` and its caller; here they are any.
 */
function guarded(spec: MethodImplSpec, audit: RpcAudit<never> | undefined): MethodImplSpec {
  switch (spec.kind) {
    case 'unary':
    case 'client_streaming': {
      const { impl } = spec as {
        impl: (request: never, context: HandlerContext) => Answer | Promise<Answer>;
      };
      const call = (request: never, context: HandlerContext) => {
        const fail = (error: unknown): never => {
          throw seen(error, context);
        };
        try {
          if (audit !== undefined) {
            const work = async () => untilDeadline(Promise.resolve(impl(request, context)), context);
            return audited(audit, request, context, work).catch(fail);
          }
          const answer = impl(request, context);
          return answer instanceof Promise ? untilDeadline(answer, context).catch(fail) : answer;
        } catch (error) {
          return fail(error);
        }
      };
      return { ...spec, impl: call as never };
    }
    case 'server_streaming':
    case 'bidi_streaming': {
      const { impl } = spec as { impl: (request: never, context: HandlerContext) => AsyncIterable<Answer> };
      const call = (request: never, context: HandlerContext) =>
        guardedStream(() => impl(request, context), context);
      return { ...spec, impl: call as never };
    }
  }
}

type Answer = Message | MessageInitShape<DescMethod['output']>;

async function* guardedStream(
  start: () => AsyncIterable<Answer>,
  context: HandlerContext,
): AsyncGenerator<Answer> {
  let iterator: AsyncIterator<Answer> | undefined;
  try {
    iterator = start()[Symbol.asyncIterator]();
    for (;;) {
      const item = await untilAborted(iterator.next(), context.signal);
      if (item.done === true) return;
      yield item.value;
    }
  } catch (error) {
    throw seen(error, context);
  } finally {
    // Not awaited: an implementation that does not look at its signal would hold what has ended already.
    iterator?.return?.()?.catch(() => {});
  }
}

const untilDeadline = <T>(work: Promise<T>, context: HandlerContext): Promise<T> =>
  context.timeoutMs() === undefined ? work : untilAborted(work, context.signal);

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function seen(thrown: unknown, context: HandlerContext): ConnectError {
  const { aborted, reason } = context.signal;
  if (aborted && (thrown === reason || (thrown instanceof Error && thrown.name === 'AbortError')))
    return reason instanceof ConnectError
      ? reason
      : new ConnectError('The caller has gone.', Code.Canceled, undefined, undefined, reason);
  const error = toRpcError(thrown);
  if (error.code === Code.Internal || error.code === Code.Unknown)
    context.values
      .get(loggerKey)
      ?.error(
        { err: error.cause ?? error, rpc: `${context.service.typeName}/${context.method.name}` },
        error.message,
      );
  return error;
}
