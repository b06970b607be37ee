import { randomUUID } from 'node:crypto';
import { conflict, invalid, notFound } from '@haic/kit/errors.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { PeopleDirectory } from '@haic/services/identity/client.ts';
import { type Access, effectiveRole, membersOf, resourceOf } from './access.ts';
import { tell } from './access-cache.ts';
import { type Caller, type Change, enforceEtag } from './changing.ts';
import type { ContentTasks } from './contents.ts';
import type { MemberStore } from './member-store.ts';
import {
  checkAnnotations,
  checkDescription,
  checkDisplayName,
  checkMember,
  retentionDays,
  userName,
  type WorkspaceFields,
  type WorkspaceView,
} from './model.ts';
import {
  enforce,
  hasFullAccess,
  mayAssignOwner,
  mayCreate,
  mayDelete,
  mayListAll,
  mayRestore,
  maySee,
  mayUpdate,
} from './policy.ts';
import type { Selection, WorkspacePage, WorkspaceQuery, WorkspaceStore } from './store.ts';

/** Which workspaces somebody lists: their own, or everybody's; active, or deleted. */
export interface Listing {
  readonly deleted: boolean;
  readonly all: boolean;
}

/** What is given is changed; `undefined` leaves it. */
export type WorkspaceChanges = {
  readonly [Field in keyof WorkspaceFields]?: WorkspaceFields[Field] | undefined;
};

export interface WorkspacesService {
  create(caller: Caller, fields: WorkspaceFields): Promise<WorkspaceView>;
  get(caller: Caller, name: string): Promise<WorkspaceView>;
  page(caller: Caller, listing: Listing, query: WorkspaceQuery): Promise<WorkspacePage>;
  count(caller: Caller, listing: Listing, query: WorkspaceQuery): Promise<number>;
  update(caller: Caller, name: string, changes: WorkspaceChanges, etag: string): Promise<WorkspaceView>;
  delete(caller: Caller, name: string, etag: string): Promise<WorkspaceView>;
  restore(caller: Caller, name: string): Promise<WorkspaceView>;
  assignOwner(caller: Caller, name: string, owner: string): Promise<WorkspaceView>;
}

const dayMs = 24 * 60 * 60 * 1000;

export function createWorkspacesService(parts: {
  readonly database: Database;
  readonly workspaces: WorkspaceStore;
  readonly members: MemberStore;
  readonly access: Access;
  readonly change: Change;
  readonly contents: ContentTasks;
  readonly directory: PeopleDirectory;
  readonly audit: AuditWriter;
  readonly now: () => Date;
}): WorkspacesService {
  const { database, workspaces, members, access, change, contents, directory, audit, now } = parts;

  async function get({ principal }: Caller, name: string): Promise<WorkspaceView> {
    const found = await workspaces.get(await access.resolve(principal, name), membersOf(principal));
    if (found === undefined) throw notFound('This workspace');
    const workspace = { ...found, role: effectiveRole(found.kind, principal, found.role) };
    enforce(maySee(principal, workspace, workspace.role));
    return workspace;
  }

  /** Everybody's own personal one is in the list before it was ever used. */
  async function selectionOf({ principal }: Caller, { all, deleted }: Listing): Promise<Selection> {
    if (all) enforce(mayListAll(principal));
    else if (!deleted && hasFullAccess(principal)) await access.resolve(principal, 'workspaces/default');
    return { members: membersOf(principal), withGlobal: hasFullAccess(principal), all, deleted };
  }

  return {
    get,

    create: async ({ principal, origin }, wanted) => {
      enforce(mayCreate(principal));
      const fields = {
        displayName: checkDisplayName(wanted.displayName),
        description: checkDescription(wanted.description),
        annotations: checkAnnotations(wanted.annotations),
      };
      const id = randomUUID();
      const creator = userName(principal.subject);
      const createdAt = now();
      await database.transaction(async (writer) => {
        const made = { id, kind: 'shared', personalSubject: undefined, creator, createdAt } as const;
        await workspaces.insert({ ...made, ...fields }, writer);
        await members.insert(
          id,
          { id: randomUUID(), member: creator, role: 'owner', creator, createdAt },
          writer,
        );
        await audit.record(
          {
            action: 'actions/workspaceserver/workspaces/CREATE',
            readOnly: false,
            principal: creator,
            resource: resourceOf(id),
            ...origin,
          },
          writer,
        );
        await tell(writer, id);
      });
      return get({ principal, origin }, `workspaces/${id}`);
    },

    page: async (caller, listing, query) => {
      const { items, nextPageToken } = await workspaces.page(await selectionOf(caller, listing), query);
      const withRole = (workspace: WorkspaceView) => ({
        ...workspace,
        role: effectiveRole(workspace.kind, caller.principal, workspace.role),
      });
      return { items: items.map(withRole), nextPageToken };
    },

    count: async (caller, listing, query) => workspaces.count(await selectionOf(caller, listing), query),

    update: async (caller, name, changes, etag) => {
      await change(caller, name, async ({ workspace, writer, by, at, record }) => {
        enforce(mayUpdate(caller.principal, workspace, workspace.role));
        enforceEtag(etag, workspace.revision);
        const fields = {
          displayName: checkDisplayName(changes.displayName ?? workspace.displayName),
          description: checkDescription(changes.description ?? workspace.description),
          annotations: checkAnnotations(changes.annotations ?? workspace.annotations),
        };
        await workspaces.update(workspace.id, fields, by, at, writer);
        await record('actions/workspaceserver/workspaces/UPDATE');
      });
      return get(caller, name);
    },

    delete: async (caller, name, etag) => {
      await change(caller, name, async ({ workspace, writer, by, at, record }) => {
        enforce(mayDelete(caller.principal, workspace, workspace.role));
        enforceEtag(etag, workspace.revision);
        const purgeAt = new Date(at.getTime() + retentionDays * dayMs);
        await workspaces.markDeleted(workspace.id, by, at, purgeAt, writer);
        await contents.add(workspace.id, 'deleted', at, writer);
        await record('actions/workspaceserver/workspaces/DELETE');
      });
      contents.work();
      return get(caller, name);
    },

    restore: async (caller, name) => {
      await change(caller, name, async ({ workspace, writer, by, at, record }) => {
        enforce(mayRestore(caller.principal, workspace, workspace.role));
        if (workspace.deletion === undefined)
          throw conflict('not_deleted', 'This workspace is not deleted, so there is nothing to restore.');
        if (workspace.deletion.purgeAt <= at) throw notFound('This workspace');
        await workspaces.restore(workspace.id, by, at, writer);
        await contents.add(workspace.id, 'restored', at, writer);
        await record('actions/workspaceserver/workspaces/UNDELETE');
      });
      contents.work();
      return get(caller, name);
    },

    assignOwner: async (caller, name, owner) => {
      const { principal } = caller;
      enforce(mayAssignOwner(principal));
      const wanted = checkMember(owner);
      const [person] = 'subject' in wanted ? await directory.findPeople([wanted.subject]) : [];
      if (person === undefined || person.disabled)
        throw invalid('unsuitable_owner', 'An owner is a person or a service account that can sign in here.');
      const { id } = await get(caller, name);
      const gone = new Set(await directory.goneAmong(await members.owners(id)));
      await change(caller, name, async ({ workspace, writer, by, at, record }) => {
        enforce(maySee(principal, workspace, workspace.role));
        if (workspace.kind === 'global')
          throw conflict(
            'global_workspace',
            'Administrators of the platform look after the global workspace.',
          );
        const owners = await members.owners(workspace.id, writer);
        if (!owners.every((subject) => gone.has(subject)))
          throw conflict(
            'owner_active',
            'An owner of this workspace can still sign in: they decide whom it is shared with.',
          );
        const before = await members.find(workspace.id, owner, writer);
        if (before !== undefined) await members.setRole(before.id, 'owner', by, at, writer);
        else {
          const member = {
            id: randomUUID(),
            member: owner,
            role: 'owner',
            creator: by,
            createdAt: at,
          } as const;
          await members.insert(workspace.id, member, writer);
        }
        await workspaces.stopBeingPersonal(workspace.id, writer);
        await record('actions/workspaceserver/workspaces/ASSIGN_OWNER', {
          metadata: { owner, former_owners: owners.join(' ') },
        });
      });
      return get(caller, name);
    },
  };
}
