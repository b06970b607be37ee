import type { Principal } from '../auth/principal.ts';
import { type AuditedCall, auditMetadataOf, auditPrincipalOf, type CallAudit } from './call-audit.ts';

/**
 * For what is told elsewhere when it succeeds, or need not be: only what was `refused`, for whatever reason; or only where who asked may not, or is
 * nobody (`denied`), for reads of which most refusals are no more than a question for what is not there.
 */
export type ToldWhen = 'refused' | 'denied';

export interface RefusedCall extends Omit<AuditedCall, 'principal' | 'metadata'> {
  /** Undefined for who showed no token, or none that is good. */
  readonly principal: Principal | undefined;
  /** `google.rpc.Code` and what the caller was told. */
  readonly status: { readonly code: number; readonly message: string };
}

/** Of `google.rpc.Code`: INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNAUTHENTICATED. */
const refusals = new Set([3, 5, 6, 7, 8, 9, 10, 11, 16]);
const denials = new Set([7, 16]);

/** What breaks is no refusal. */
export const isTold = (code: number, when: ToldWhen = 'refused'): boolean =>
  (when === 'denied' ? denials : refusals).has(code);

/**
 * Tells of a call that was refused before it was begun, or whose success is told elsewhere. It is refused whether that can be recorded or not, so
 * this never throws. Who is refused again and again fills no disk: each person by each client, and all who are nobody together, are told of so often
 * a minute; how often they were not is told with the next one (`untold`).
 */
export async function tellRefusal(
  audit: CallAudit,
  { principal, status, ...call }: RefusedCall,
): Promise<void> {
  const untold = boundOf(audit).count(principal);
  if (untold === undefined) return;
  const metadata = {
    ...(principal === undefined ? {} : auditMetadataOf(principal)),
    ...(untold === 0 ? {} : { untold: String(untold) }),
  };
  try {
    const by = principal === undefined ? 'users/unknown' : auditPrincipalOf(principal);
    const open = await audit.begin({ ...call, principal: by, metadata });
    await open.end({ status });
  } catch {
    // The outbox says so itself, and the next call that has to be recorded fails.
  }
}

const perMinute = 30;

/** By whom it is counted. */
type Bounded = Pick<Principal, 'subject' | 'party'>;

export interface Bound {
  /** Undefined when this one is not to be told of; else how many were not, since the last one that was. */
  count(principal: Bounded | undefined): number | undefined;
}

const bounds = new WeakMap<CallAudit, Bound>();

function boundOf(audit: CallAudit): Bound {
  const bound = bounds.get(audit) ?? createBound();
  bounds.set(audit, bound);
  return bound;
}

export function createBound(now: () => number = Date.now): Bound {
  let minute = 0;
  const counts = new Map<string, { told: number; untold: number }>();
  return {
    count: (principal) => {
      const current = Math.floor(now() / 60_000);
      if (current !== minute) {
        minute = current;
        for (const [key, count] of counts)
          if (count.untold === 0) counts.delete(key);
          else count.told = 0;
      }
      const key = principal === undefined ? '' : `${principal.subject} ${principal.party}`;
      const count = counts.get(key) ?? { told: 0, untold: 0 };
      counts.set(key, count);
      if (count.told >= perMinute) {
        count.untold += 1;
        return undefined;
      }
      const { untold } = count;
      count.told += 1;
      count.untold = 0;
      return untold;
    },
  };
}
