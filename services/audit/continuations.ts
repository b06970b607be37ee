import { randomUUID } from 'node:crypto';
import type { Link } from './chain.ts';
import type { NewEvent } from './model.ts';

/** The trail goes on from `from`, which is not where it was known to have come to. */
export type Discontinuity = {
  readonly from: Link;
  /** As far as anybody remembers. */
  readonly furthest: Link | undefined;
} & (
  | { readonly kind: 'restored' }
  | { readonly kind: 'broken'; readonly reason: 'head_changed' | 'trail_removed' | 'rolled_back' }
);

export const breakAction = 'actions/audittrail/trails/BREAK';
export const restoreAction = 'actions/audittrail/trails/RESTORE';
export const expireAction = 'actions/audittrail/events/EXPIRE';

/** What the trail tells of itself. */
export function ownEvent(
  action: string,
  eventTime: bigint,
  metadata: Readonly<Record<string, string>>,
): NewEvent {
  return {
    id: randomUUID(),
    eventTime,
    source: 'haic-audittrail',
    action,
    readOnly: false,
    status: undefined,
    principal: 'services/audit-trail',
    sourceAddress: '',
    resource: '//audittrail/trails/haic',
    requestParameters: {},
    userAgent: '',
    metadata,
    workspace: '',
    type: 'system',
  };
}

const known = ({ furthest }: Discontinuity): Record<string, string> =>
  furthest === undefined ? {} : { known_to: String(furthest.seq) };

/** A backup was restored: what had happened since is not here. */
export const restoredTrail = (of: Discontinuity & { kind: 'restored' }, at: bigint): NewEvent =>
  ownEvent(restoreAction, at, { goes_on_after: String(of.from.seq), ...known(of) });

/** Somebody changed the database. The trail goes on, since not recording would help them, and can never again pass for whole. */
export const brokenTrail = (of: Discontinuity & { kind: 'broken' }, at: bigint): NewEvent =>
  ownEvent(breakAction, at, { reason: of.reason, goes_on_after: String(of.from.seq), ...known(of) });
