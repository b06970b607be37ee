import type { HandlerContext } from '@connectrpc/connect';
import { addressKey, callerOf as principalOf } from '@haic/kit/grpc-gateway/service.ts';
import type { Caller } from '../caller.ts';

export function callerOf(context: HandlerContext): Caller {
  const sourceIpAddress = context.values.get(addressKey);
  const userAgent = context.requestHeader.get('user-agent')?.slice(0, 300);
  return {
    principal: principalOf(context),
    ...(sourceIpAddress === '' ? {} : { sourceIpAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}
