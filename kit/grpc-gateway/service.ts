import type { DescMethod, DescService, Message, MessageInitShape, Registry } from '@bufbuild/protobuf';
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

interface Choices {
  readonly json?: Partial<JsonRules>;
  /** Which kind of client may, beside what the whole mount asks for. */
  readonly deed?: Deed;
}

export interface ServedMethod {
  readonly desc: DescMethod;
  readonly json: JsonRules;
  readonly deed: Deed | undefined;
  readonly spec: MethodImplSpec;
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
  choices: Choices & { readonly methods?: { readonly [M in keyof S['method']]?: Choices } } = {},
): ServedService {
  const { methods } = createServiceImplSpec<S>(desc, implementation);
  const ofMethod: Readonly<Record<string, Choices | undefined>> = choices.methods ?? {};
  return {
    desc,
    methods: new Map(
      Object.entries(methods).map(([name, spec]) => {
        const own = ofMethod[name];
        const json = { ...usualRules, ...choices.json, ...own?.json };
        return [name, { desc: spec.method, json, deed: own?.deed ?? choices.deed, spec: guarded(spec) }];
      }),
    ),
  };
}

export const principalKey = createContextKey<Principal | undefined>(undefined, { description: 'principal' });
export const loggerKey = createContextKey<Logger | undefined>(undefined, { description: 'logger' });

/** Who calls, as the verified token says. */
export function callerOf(context: HandlerContext): Principal {
  const principal = context.values.get(principalKey);
  if (principal === undefined) throw unauthenticated();
  return principal;
}

/**
 * What is thrown becomes what a caller may see, and a deadline ends the call whether the implementation looks at its signal or not. The types of
 * the messages are between `serve` and its caller; here they are any.
 */
function guarded(spec: MethodImplSpec): MethodImplSpec {
  switch (spec.kind) {
    case 'unary':
    case 'client_streaming': {
      const { impl } = spec as {
        impl: (request: never, context: HandlerContext) => Answer | Promise<Answer>;
      };
      const call = async (request: never, context: HandlerContext) => {
        try {
          return await untilDeadline(impl(request, context), context);
        } catch (error) {
          throw seen(error, context);
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

const untilDeadline = <T>(work: T | Promise<T>, context: HandlerContext): T | Promise<T> =>
  work instanceof Promise && context.timeoutMs() !== undefined ? untilAborted(work, context.signal) : work;

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
