import type { PartyKind, Principal } from '@haic/kit/auth/principal.ts';
import { callJson, type Fetch } from '@haic/kit/http/client.ts';

/**
 * From less to more; each may what the ones before it may. A viewer sees and uses what is there, an editor makes and changes it (and reads the
 * values of secrets), an admin looks after members, an owner may also delete the workspace.
 */
export const workspaceRoles = ['viewer', 'editor', 'admin', 'owner'] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

/** Who asks, as far as membership is concerned. A service that acts for a person later has kept this much of them. */
export type WorkspaceActor = Pick<Principal, 'subject' | 'username' | 'roles' | 'groups'> & {
  /** An app that acts for an administrator administers nothing, not even the global workspace. */
  readonly partyKind?: PartyKind;
};

export interface WorkspaceAccess {
  /** `workspaces/<id>`, never an alias. */
  readonly workspace: string;
  /** The highest that the person has there, as a member or by a group of theirs. */
  readonly role: WorkspaceRole;
}

/** What other services ask of workspaces. In memory inside core, over HTTP elsewhere. */
export interface WorkspacesClient {
  /**
   * Which role somebody has in a workspace: `workspaces/<id>`, or an alias: `workspaces/default` is the personal one of who asks, made when it is
   * first asked for, and `workspaces/global` everybody's. Throws `not_found` (404) for one that is deleted, that does not exist, or that they may
   * not know of. An answer may be kept for seconds; what changes a membership ends what was kept at once.
   */
  accessOf(actor: WorkspaceActor, workspace: string): Promise<WorkspaceAccess>;
  /** Every workspace that somebody is in, for lists across workspaces (`workspaces/-`). */
  workspacesOf(actor: WorkspaceActor): Promise<readonly WorkspaceAccess[]>;
}

export const roleIsAtLeast = (role: WorkspaceRole, least: WorkspaceRole): boolean =>
  workspaceRoles.indexOf(role) >= workspaceRoles.indexOf(least);

/**
 * What a service that keeps content of workspaces (secrets, models, …) is told about them. Each is called again until it resolves, also after a
 * crash, so each must be safe to repeat. That nobody reaches the content of a deleted workspace is `accessOf`'s part already.
 */
export interface WorkspaceContents {
  /** Of the service, and never another: what it has yet to be told is kept under it. */
  readonly holder: string;
  /** It is deleted, for thirty days at first: what runs there by itself stops, and is kept. */
  whenDeleted(workspace: string): Promise<void>;
  /** It is back, as it was. */
  whenRestored(workspace: string): Promise<void>;
  /** It never comes back: what it holds is removed, but for what has to be kept beyond it. It is gone when every service has done so. */
  purge(workspace: string): Promise<void>;
}

const askTimeoutMs = 10_000;

/** The same over HTTP, by a service of the platform (`token` is its own). To be kept for seconds by `access-cache.ts`. */
export function createHttpWorkspacesClient(options: {
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly token: () => Promise<string>;
}): WorkspacesClient {
  const ask = async <T>(question: string, json: unknown) =>
    callJson<T>(options.fetch, `${options.baseUrl}/internal/workspaces/${question}`, {
      method: 'POST',
      token: await options.token(),
      json,
      signal: AbortSignal.timeout(askTimeoutMs),
    });
  return {
    accessOf: (actor, workspace) => ask('access', { actor: actorOf(actor), workspace }),
    workspacesOf: async (actor) =>
      (await ask<{ items: readonly WorkspaceAccess[] }>('of', { actor: actorOf(actor) })).items,
  };
}

/** Of a principal what is asked for, and never its token. */
export const actorOf = ({ subject, username, roles, groups, partyKind }: WorkspaceActor): WorkspaceActor => ({
  subject,
  username,
  roles,
  groups,
  ...(partyKind === undefined ? {} : { partyKind }),
});
