import { partyMay } from '@haic/kit/auth/party-policy.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, forbidden, type HaicError, notFound } from '@haic/kit/errors.ts';
import { roleIsAtLeast, type WorkspaceActor, type WorkspaceRole } from './client.ts';
import { type Workspace, type WorkspaceKind, workspaceName } from './model.ts';

/**
 * Who may do what with workspaces. Pure: the actor, the workspace and the role there decide. Which kind of client may, the server has asked
 * `kit/auth/party-policy.ts`. Whoever has no role and administers nothing does not learn that there is such a workspace (404).
 */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly error: HaicError };

const yes: Decision = { allowed: true };
const denied = (error: HaicError): Decision => ({ allowed: false, error });

export function enforce(decision: Decision): void {
  if (!decision.allowed) throw decision.error;
}

type Who = Pick<Principal, 'subject' | 'roles' | 'party' | 'partyKind'>;
type What = Pick<Workspace, 'id' | 'kind' | 'deletion'>;

export const hasFullAccess = (who: Pick<WorkspaceActor, 'roles'>): boolean =>
  who.roles.includes('user') || who.roles.includes('admin');

/** Of the platform; an app that acts for one administers nothing. */
export const isAdministrator = (who: Who): boolean =>
  who.roles.includes('admin') && partyMay(who, 'administer workspaces');

/** What somebody is without being made a member: in the global workspace, all who have full access view and administrators look after it. */
export function impliedRole(kind: WorkspaceKind, actor: WorkspaceActor): WorkspaceRole | undefined {
  if (kind !== 'global' || !hasFullAccess(actor)) return undefined;
  return actor.roles.includes('admin') && actor.partyKind !== 'app' ? 'admin' : 'viewer';
}

const hidden = (): HaicError => notFound('This workspace');

/** Its metadata and its members. A deleted one is there for those who can restore it. */
export function maySee(who: Who, workspace: What, role: WorkspaceRole | undefined): Decision {
  if (isAdministrator(who)) return yes;
  if (role === undefined) return denied(hidden());
  return workspace.deletion === undefined || role === 'owner' ? yes : denied(hidden());
}

/** Visitors use what they are invited to. */
export const mayCreate = (who: Who): Decision =>
  hasFullAccess(who)
    ? yes
    : denied(
        forbidden(
          'full_access_only',
          'Making workspaces needs full access. Ask an administrator for the role "user".',
        ),
      );

export const mayListAll = (who: Who): Decision =>
  isAdministrator(who)
    ? yes
    : denied(forbidden('administrators_only', "Only administrators see everybody's workspaces."));

/** Names of others, to share with; a visitor shares nothing. */
export const mayLookUpOthers = (who: Who): boolean => hasFullAccess(who);

export const maySeeEmail = (who: Who, subject: string): boolean =>
  who.subject === subject || (who.roles.includes('admin') && partyMay(who, 'administer people'));

/** Its name, description and annotations, which deployments go by. */
export function mayUpdate(who: Who, workspace: What, role: WorkspaceRole | undefined): Decision {
  const seen = mayUse(who, workspace, role);
  return seen.allowed ? needs(role, 'admin', 'change a workspace') : seen;
}

export function mayDelete(who: Who, workspace: What, role: WorkspaceRole | undefined): Decision {
  const seen = mayUse(who, workspace, role);
  if (!seen.allowed) return seen;
  if (workspace.kind === 'personal')
    return denied(
      conflict(
        'personal_workspace',
        'Everybody has a personal workspace; it cannot be deleted. Empty it instead.',
      ),
    );
  if (workspace.kind === 'global')
    return denied(conflict('global_workspace', "The global workspace is everybody's and cannot be deleted."));
  return needs(role, 'owner', 'delete a workspace');
}

export function mayRestore(who: Who, workspace: What, role: WorkspaceRole | undefined): Decision {
  const seen = maySee(who, workspace, role);
  if (!seen.allowed) return seen;
  return role === 'owner' || isAdministrator(who) ? yes : needs(role, 'owner', 'restore a workspace');
}

/** Whom it is shared with. A change from `before` to `after`: undefined for who is, or will be, no member. */
export function mayShare(
  who: Who,
  workspace: What,
  role: WorkspaceRole | undefined,
  change: { readonly before: WorkspaceRole | undefined; readonly after: WorkspaceRole | undefined },
): Decision {
  const seen = mayUse(who, workspace, role);
  if (!seen.allowed) return seen;
  if (workspace.kind === 'personal')
    return denied(
      conflict(
        'personal_workspace',
        "A personal workspace is its person's alone: what their apps keep there is for nobody else. Make a workspace to share.",
      ),
    );
  const enough = needs(role, 'admin', 'change who is in a workspace');
  if (!enough.allowed || role === undefined) return enough;
  if (change.after !== undefined && !roleIsAtLeast(role, change.after))
    return denied(roleTooLow(`You are ${role} here, so you cannot make somebody ${change.after}.`));
  if (change.before !== undefined && !roleIsAtLeast(role, change.before))
    return denied(roleTooLow(`You are ${role} here, so you cannot change or remove an ${change.before}.`));
  return yes;
}

export const mayAssignOwner = (who: Who): Decision =>
  isAdministrator(who)
    ? yes
    : denied(
        forbidden(
          'administrators_only',
          'Only administrators of the platform put an owner in the place of those who are gone.',
        ),
      );

/** Whoever only administers the platform sees that it is there, and no more; and nothing of a deleted one can be used. */
function mayUse(who: Who, workspace: What, role: WorkspaceRole | undefined): Decision {
  const seen = maySee(who, workspace, role);
  if (!seen.allowed || workspace.deletion === undefined) return seen;
  return denied(
    conflict('workspace_deleted', `${workspaceName(workspace.id)} is deleted. Restore it first.`),
  );
}

function needs(role: WorkspaceRole | undefined, least: WorkspaceRole, deed: string): Decision {
  if (role !== undefined && roleIsAtLeast(role, least)) return yes;
  const now = role === undefined ? 'You are not a member of this workspace' : `You are ${role} here`;
  return denied(
    roleTooLow(`${now}: to ${deed} takes the role ${least}${least === 'owner' ? '' : ' or owner'}.`),
  );
}

const roleTooLow = (message: string): HaicError => forbidden('role_too_low', message);
