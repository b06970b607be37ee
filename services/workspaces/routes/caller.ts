import type { HandlerContext } from '@connectrpc/connect';
import { addressKey, callerOf as principalOf } from '@haic/kit/grpc-gateway/service.ts';
import type { Caller } from '../changing.ts';

/** Who calls, and from where. */
export function callerOf(context: HandlerContext): Caller {
  const address = context.values.get(addressKey);
  const userAgent = context.requestHeader.get('user-agent');
  return {
    principal: principalOf(context),
    origin: {
      ...(address === '' ? {} : { sourceIpAddress: address }),
      ...(userAgent === null ? {} : { userAgent: userAgent.slice(0, 400) }),
    },
  };
}
