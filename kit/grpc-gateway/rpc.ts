import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  type HandlerContext,
  type MethodImpl,
} from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { CallAudit } from '../audit/call-audit.ts';
import type { Logger } from '../logging.ts';
import { tellRefused } from './audited.ts';
import { toRpcError } from './errors.ts';
import { principalKey, type ServedMethod, type ServedService } from './service.ts';

/** Calls as remote procedure calls, at `/<package>.<Service>/<Method>`: gRPC-Web and Connect, and gRPC where there is HTTP/2. */
export interface Rpc {
  readonly handlerAt: (path: string) => UniversalHandler | undefined;
  readonly answer: (
    handler: UniversalHandler,
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    values: ContextValues,
  ) => Promise<void>;
}

/** Set when a call was refused before it came here: the protocol of the call renders it. */
export const refusalKey = createContextKey<unknown>(undefined, { description: 'refusal' });

export function createRpc(options: {
  readonly services: readonly ServedService[];
  readonly overHttp2: boolean;
  readonly logger: Logger;
  readonly bodyLimit: number;
  /** Without one, no refusal is recorded. */
  readonly audit: CallAudit | undefined;
  /** Asked before anything of a message is read. */
  readonly admit: (method: ServedMethod, context: HandlerContext) => void | Promise<void>;
  readonly stopping?: AbortSignal;
}): Rpc {
  const { services, overHttp2, logger, bodyLimit, audit, admit, stopping } = options;
  const methods = new Map(
    services.flatMap((service) =>
      [...service.methods.values()].map((method) => [method.desc, method] as const),
    ),
  );
  const router = createConnectRouter({
    grpc: overHttp2,
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: bodyLimit,
    jsonOptions: { ignoreUnknownFields: true, alwaysEmitImplicit: true },
    requestGate: async (context) => {
      const { values, requestHeader } = context;
      const method = methods.get(context.method);
      try {
        const refusal = values.get(refusalKey);
        if (refusal !== undefined) throw refusal;
        if (method === undefined) throw new ConnectError('This method is not served.', Code.Unimplemented);
        await admit(method, context);
      } catch (error) {
        const userAgent = requestHeader.get('user-agent');
        await tellRefused(method?.audit, error, {
          ...{ audit, values, principal: values.get(principalKey), userAgent },
        });
        throw toRpcError(error);
      }
    },
    ...(stopping === undefined ? {} : { shutdownSignal: stopping }),
  });
  for (const { desc, spec } of methods.values()) router.rpc(desc, spec.impl as MethodImpl<DescMethod>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    handlerAt: (path) => handlers.get(path),
    answer: (handler, request, response, values) => answer(handler, request, response, values, logger),
  };
}

async function answer(
  handler: UniversalHandler,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  values: ContextValues,
  logger: Logger,
): Promise<void> {
  try {
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    await universalResponseToNodeResponse(await handler(universal), response);
  } catch (error) {
    // A caller that goes away is no news.
    if (ConnectError.from(error).code !== Code.Aborted && !response.writableEnded)
      logger.warn({ err: error, rpc: handler.requestPath }, 'An answer could not be sent.');
    response.destroy();
  }
}
