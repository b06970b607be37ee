import type { Visibility } from '../catalog/client.ts';
import { hasFullAccess } from './roles.ts';

/** Who stands at the door of an instance; without a subject: nobody signed in. */
export interface Visitor {
  readonly subject?: string | undefined;
  readonly roles: readonly string[];
  /** Set when the request carries an app's own token: that app's instance. Such a token opens no other app. */
  readonly viaInstance?: string | undefined;
}

export type OpenDecision =
  | { readonly allowed: true }
  /** Signing in may help; say nothing about the instance until then. */
  | { readonly allowed: false; readonly reason: 'sign_in_required' }
  /** Signed in, and still not theirs: answered like an instance that does not exist. */
  | { readonly allowed: false; readonly reason: 'not_found' };

const allowed = { allowed: true } as const;
const hidden = { allowed: false, reason: 'not_found' } as const;

/**
 * Who may open an instance's own pages (contracts/app-store.md §4). Administrators and the app's owner are no exception: the pages
 * of a PRIVATE instance are its owner's alone, and a visitor opens their own instances and PUBLIC ones.
 */
export function mayOpen(
  route: { readonly instanceId: string; readonly owner: string; readonly visibility: Visibility },
  visitor: Visitor,
): OpenDecision {
  if (visitor.viaInstance !== undefined && visitor.viaInstance !== route.instanceId) return hidden;
  if (route.visibility === 'PUBLIC') return allowed;
  if (visitor.subject === undefined) return { allowed: false, reason: 'sign_in_required' };
  if (visitor.subject === route.owner) return allowed;
  if (route.visibility === 'ALL_USERS' && hasFullAccess(visitor.roles)) return allowed;
  return hidden;
}
