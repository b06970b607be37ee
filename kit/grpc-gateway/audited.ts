import { type ContextValues, createContextKey, type HandlerContext } from '@connectrpc/connect';
import { auditMetadataOf, auditPrincipalOf, type CallAudit, type OpenCall } from '../audit/call-audit.ts';
import { isTold, type ToldWhen, tellRefusal } from '../audit/refusals.ts';
import type { Principal } from '../auth/principal.ts';
import { statusOf, toRpcError } from './errors.ts';
import { addressKey, callerOf } from './service.ts';

/** What a method does, as the audit trail is told; recorded before it is answered. */
export interface RpcAudit<Request> {
  /** `actions/<service>/<collection>/<VERB>`. */
  readonly action: string;
  /** `//<service>/workspaces/<id>/<collection>/<id>`, or the collection where something is made. */
  readonly resource: (request: Request) => string;
  /** For reads that matter. */
  readonly readOnly?: boolean;
  /** Where the service records what it does itself, in one transaction with it. */
  readonly when?: ToldWhen;
}

export const auditKey = createContextKey<CallAudit | undefined>(undefined, { description: 'audit' });

/** Does what a call does, and tells of it. */
export async function audited<Request, Answer>(
  what: RpcAudit<Request>,
  request: Request,
  context: HandlerContext,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (what.when !== undefined) return toldWhenRefused(what, request, context, work);
  const call = await begin(what, request, context);
  try {
    const answer = await work();
    await call?.end({});
    return answer;
  } catch (error) {
    const { code, message } = statusOf(toRpcError(error));
    await call?.end({ status: { code, message } });
    throw error;
  }
}

async function toldWhenRefused<Request, Answer>(
  what: RpcAudit<Request>,
  request: Request,
  context: HandlerContext,
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const { values, requestHeader } = context;
    await tellRefused(what, error, {
      ...{ values, audit: values.get(auditKey), resource: what.resource(request) },
      ...{ principal: callerOf(context), userAgent: requestHeader.get('user-agent') },
    });
    throw error;
  }
}

/** Of a method that was refused, also before its message could be read. */
export async function tellRefused(
  what: Pick<RpcAudit<never>, 'action' | 'readOnly' | 'when'> | undefined,
  error: unknown,
  call: {
    readonly audit: CallAudit | undefined;
    readonly values: ContextValues;
    readonly resource?: string;
    readonly principal: Principal | undefined;
    readonly userAgent: string | null | undefined;
  },
): Promise<void> {
  const { audit, values, resource, principal, userAgent } = call;
  if (what === undefined || audit === undefined) return;
  const { code, message } = statusOf(toRpcError(error));
  if (!isTold(code, what.when)) return;
  await tellRefusal(audit, {
    ...{ action: what.action, readOnly: what.readOnly ?? false },
    ...(resource === undefined ? {} : { resource }),
    ...{ principal, sourceIpAddress: values.get(addressKey), userAgent: userAgent ?? '' },
    status: { code, message },
  });
}

async function begin<Request>(
  { action, resource, readOnly = false }: RpcAudit<Request>,
  request: Request,
  context: HandlerContext,
): Promise<OpenCall | undefined> {
  const principal = callerOf(context);
  return context.values.get(auditKey)?.begin({
    ...{ action, readOnly, resource: resource(request) },
    principal: auditPrincipalOf(principal),
    sourceIpAddress: context.values.get(addressKey),
    userAgent: context.requestHeader.get('user-agent') ?? '',
    metadata: auditMetadataOf(principal),
  });
}

const reads = /^(?:get|list|search|count|batchGet|check|watch|read|query|test|server)/;

/** Methods that change something, by their names, and say neither what they do nor why that is not recorded. */
export const isUntold = (name: string, told: { audit?: unknown; unaudited?: string | undefined }): boolean =>
  told.audit === undefined && told.unaudited === undefined && !reads.test(name);
