import { randomUUID } from 'node:crypto';
import { conflict, invalid, notFound } from '@haic/kit/errors.ts';
import type { IdentityPerson, PeopleDirectory } from '@haic/services/identity/client.ts';
import { resourceOf } from './access.ts';
import { type Caller, type Change, type Changing, enforceEtag } from './changing.ts';
import type { WorkspaceRole } from './client.ts';
import type { MemberQuery, MemberStore } from './member-store.ts';
import { checkMember, isId, type Member, subjectOf, userName, type WorkspaceView } from './model.ts';
import { enforce, mayShare } from './policy.ts';
import type { WorkspacesService } from './service.ts';

/** A member, with who it is as the sign-in service knows them now. */
export interface KnownMember extends Member {
  readonly workspace: string;
  /** Undefined for a group, and for who is gone without a trace. */
  readonly person: IdentityPerson | undefined;
}

export interface MembersService {
  page(
    caller: Caller,
    workspace: string,
    query: MemberQuery,
  ): Promise<{ readonly items: readonly KnownMember[]; readonly nextPageToken: string }>;
  add(caller: Caller, workspace: string, member: string, role: WorkspaceRole): Promise<KnownMember>;
  /** `name` is `workspaces/<id>/members/<id>`, like below. */
  change(caller: Caller, name: string, role: WorkspaceRole, etag: string): Promise<KnownMember>;
  remove(caller: Caller, name: string, etag: string): Promise<void>;
  leave(caller: Caller, workspace: string): Promise<void>;
}

export function createMembersService(parts: {
  readonly members: MemberStore;
  readonly workspaces: Pick<WorkspacesService, 'get'>;
  readonly change: Change;
  readonly directory: PeopleDirectory;
}): MembersService {
  const { members, workspaces, change, directory } = parts;

  async function known(workspace: WorkspaceView, found: readonly Member[]): Promise<KnownMember[]> {
    const people = await directory.findPeople(found.flatMap(({ member }) => subjectOf(member) ?? []));
    const bySubject = new Map(people.map((person) => [userName(person.subject), person]));
    return found.map((member) => ({
      ...{ ...member, workspace: workspace.id, person: bySubject.get(member.member) },
    }));
  }

  async function knownOne(one: {
    workspace: WorkspaceView;
    member: Member | undefined;
  }): Promise<KnownMember> {
    const [found] = one.member === undefined ? [] : await known(one.workspace, [one.member]);
    if (found === undefined) throw gone();
    return found;
  }

  /** Whether somebody may at all is asked before it is said whether there is such a member. */
  async function memberToChange(
    { principal }: Caller,
    { workspace, writer }: Changing,
    id: string,
    after: WorkspaceRole | undefined,
  ): Promise<Member> {
    enforce(mayShare(principal, workspace, workspace.role, { before: undefined, after: undefined }));
    const member = isId(id) ? await members.get(workspace.id, id, writer) : undefined;
    if (member === undefined) throw gone();
    enforce(mayShare(principal, workspace, workspace.role, { before: member.role, after }));
    return member;
  }

  /** Only somebody known: a slip in a name would share with nobody, or with whoever has that name one day. */
  async function checkKnown(member: string): Promise<void> {
    const wanted = checkMember(member);
    const isKnown =
      'group' in wanted
        ? await directory.hasGroup(wanted.group)
        : (await directory.findPeople([wanted.subject])).some(({ disabled }) => !disabled);
    if (!isKnown)
      throw invalid(
        'unknown_member',
        `There is no ${'group' in wanted ? 'group' : 'person'} ${member.slice(0, 100)} here, or they may not sign in.`,
      );
  }

  /** Asked after the change and in its transaction, which ends without it where nobody would be left. */
  async function keepAnOwner({ workspace, writer }: Changing, before: Member): Promise<void> {
    if (before.role !== 'owner' || subjectOf(before.member) === undefined) return;
    if ((await members.owners(workspace.id, writer)).length === 0)
      throw conflict(
        'last_owner',
        'This is the last owner of the workspace. Make another person an owner first, or delete the workspace.',
      );
  }

  const recorded = ({ id, member }: Member, workspace: string, roles: Record<string, string>) => ({
    resource: `${resourceOf(workspace)}/members/${id}`,
    metadata: { member, ...roles },
  });

  return {
    page: async (caller, name, query) => {
      const workspace = await workspaces.get(caller, name);
      const { items, nextPageToken } = await members.page(workspace.id, query);
      return { items: await known(workspace, items), nextPageToken };
    },

    add: async (caller, name, member, role) => {
      const wanting = { before: undefined, after: role };
      // First of all whether they may: nobody else learns anything from here. Once more when it is their turn.
      const seen = await workspaces.get(caller, name);
      enforce(mayShare(caller.principal, seen, seen.role, wanting));
      await checkKnown(member);
      return knownOne(
        await change(caller, name, async ({ workspace, writer, by, at, record }) => {
          enforce(mayShare(caller.principal, workspace, workspace.role, wanting));
          const added = await members.insert(
            workspace.id,
            { id: randomUUID(), member, role, creator: by, createdAt: at },
            writer,
          );
          if (added === undefined)
            throw conflict('member_exists', 'They are in this workspace already. Change their role instead.');
          await record('actions/workspaceserver/members/CREATE', recorded(added, workspace.id, { role }));
          return { workspace, member: added };
        }),
      );
    },

    change: async (caller, name, role, etag) => {
      const { workspaceName, id } = partsOf(name);
      return knownOne(
        await change(caller, workspaceName, async (changing) => {
          const { workspace, writer, by, at, record } = changing;
          const before = await memberToChange(caller, changing, id, role);
          enforceEtag(etag, before.revision);
          const member = await members.setRole(before.id, role, by, at, writer);
          await keepAnOwner(changing, before);
          const roles = { role, former_role: before.role };
          await record('actions/workspaceserver/members/UPDATE', recorded(before, workspace.id, roles));
          return { workspace, member };
        }),
      );
    },

    remove: async (caller, name, etag) => {
      const { workspaceName, id } = partsOf(name);
      await change(caller, workspaceName, async (changing) => {
        const { workspace, writer, record } = changing;
        const before = await memberToChange(caller, changing, id, undefined);
        enforceEtag(etag, before.revision);
        await members.remove(before.id, writer);
        await keepAnOwner(changing, before);
        await record(
          'actions/workspaceserver/members/DELETE',
          recorded(before, workspace.id, { former_role: before.role }),
        );
      });
    },

    leave: (caller, name) =>
      change(caller, name, async (changing) => {
        const { workspace, writer, by, record } = changing;
        enforceLeaving(workspace);
        const own = await members.find(workspace.id, by, writer);
        if (own === undefined)
          throw conflict(
            'member_by_group',
            'You are here by a group that you are in, or by your role. Who looks after its members can take the group out.',
          );
        await members.remove(own.id, writer);
        await keepAnOwner(changing, own);
        await record(
          'actions/workspaceserver/members/LEAVE',
          recorded(own, workspace.id, { former_role: own.role }),
        );
      }),
  };
}

function enforceLeaving(workspace: WorkspaceView): void {
  if (workspace.role === undefined || (workspace.deletion !== undefined && workspace.role !== 'owner'))
    throw notFound('This workspace');
  if (workspace.kind === 'personal')
    throw conflict('personal_workspace', "A personal workspace is its person's alone; nobody leaves it.");
}

const gone = () => notFound('This member');

/** Of `workspaces/<id>/members/<id>`. */
function partsOf(name: string): { readonly workspaceName: string; readonly id: string } {
  const [collection = '', workspace = '', , id = ''] = name.split('/');
  return { workspaceName: `${collection}/${workspace}`, id };
}
