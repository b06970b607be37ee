import { randomUUID } from 'node:crypto';
import { notFound } from '@haic/kit/errors.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import { tell } from './access-cache.ts';
import { roleIsAtLeast, type WorkspaceActor, type WorkspaceRole, type WorkspacesClient } from './client.ts';
import type { MemberStore } from './member-store.ts';
import { groupName, readWorkspaceName, userName, type WorkspaceKind, workspaceName } from './model.ts';
import { hasFullAccess, impliedRole } from './policy.ts';
import type { WorkspaceStore } from './store.ts';

export interface Access extends WorkspacesClient {
  /** The id of what a name or an alias means to who asks; 404 for what is no workspace's name. */
  resolve(actor: WorkspaceActor, name: string): Promise<string>;
}

/** As what somebody may be a member: themselves, and each group that their token names now. */
export const membersOf = ({ subject, groups }: WorkspaceActor): readonly string[] => [
  userName(subject),
  ...groups.map(groupName),
];

/** The higher of what somebody was given and what they are without. */
export function effectiveRole(
  kind: WorkspaceKind,
  actor: WorkspaceActor,
  given: WorkspaceRole | undefined,
): WorkspaceRole | undefined {
  const implied = impliedRole(kind, actor);
  if (given === undefined || implied === undefined) return given ?? implied;
  return roleIsAtLeast(given, implied) ? given : implied;
}

/** Who has which role where, read from the database each time. What keeps answers for a while is `access-cache.ts`. */
export function createAccess(parts: {
  readonly database: Database;
  readonly workspaces: WorkspaceStore;
  readonly members: MemberStore;
  readonly audit: AuditWriter;
  readonly now: () => Date;
}): Access {
  const { database, workspaces, members, audit, now } = parts;

  /** Made when it is first asked for. However many ask at once, one is made, and all get it. */
  async function personal(actor: WorkspaceActor): Promise<string> {
    const known = await workspaces.personalOf(actor.subject);
    if (known !== undefined) return known;
    if (!hasFullAccess(actor)) throw notFound('A personal workspace of a visitor');
    return database.transaction(async (writer) => {
      const principal = userName(actor.subject);
      const id = randomUUID();
      const at = now();
      const isNew = await workspaces.insert(
        {
          ...{ id, kind: 'personal', personalSubject: actor.subject, creator: principal, createdAt: at },
          ...{
            displayName: `Personal workspace of ${actor.username}`.slice(0, 120),
            description: '',
            annotations: {},
          },
        },
        writer,
      );
      if (!isNew) return (await workspaces.personalOf(actor.subject, writer)) ?? id;
      await members.insert(
        id,
        { id: randomUUID(), member: principal, role: 'owner', creator: principal, createdAt: at },
        writer,
      );
      const action = 'actions/workspaceserver/workspaces/CREATE';
      await audit.record({ action, readOnly: false, principal, resource: resourceOf(id) }, writer);
      await tell(writer, id);
      return id;
    });
  }

  async function resolve(actor: WorkspaceActor, name: string): Promise<string> {
    const reference = readWorkspaceName(name);
    if (reference === 'unknown') throw notFound('This workspace');
    return reference === 'default' ? personal(actor) : reference.id;
  }

  return {
    resolve,
    accessOf: async (actor, name) => {
      const id = await resolve(actor, name);
      const workspace = await workspaces.get(id, membersOf(actor));
      if (workspace === undefined || workspace.deletion !== undefined) throw notFound('This workspace');
      const role = effectiveRole(workspace.kind, actor, workspace.role);
      if (role === undefined) throw notFound('This workspace');
      return { workspace: workspaceName(id), role };
    },
    workspacesOf: async (actor) => {
      const withGlobal = hasFullAccess(actor);
      const all = await workspaces.rolesOf({
        members: membersOf(actor),
        withGlobal,
        all: false,
        deleted: false,
      });
      return all.flatMap(({ id, kind, role }) => {
        const effective = effectiveRole(kind, actor, role);
        return effective === undefined ? [] : [{ workspace: workspaceName(id), role: effective }];
      });
    },
  };
}

/** As the audit trail names it. */
export const resourceOf = (id: string): string => `//workspaceserver/${workspaceName(id)}`;
