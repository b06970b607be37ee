import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { IdentityPerson } from '@haic/services/identity/client.ts';
import { etagOf } from './changing.ts';
import type { WorkspaceRole } from './client.ts';
import type { UserSchema } from './gen/haic/authz/v1/directory_pb.js';
import type { MemberSchema } from './gen/haic/authz/v1/members_pb.js';
import { Role } from './gen/haic/authz/v1/role_pb.js';
import { WorkspaceKind, type WorkspaceSchema } from './gen/haic/authz/v1/workspaces_pb.js';
import type { KnownMember } from './members.ts';
import { groupOf, userName, type WorkspaceView, workspaceName } from './model.ts';

const roles: Readonly<Record<WorkspaceRole, Role>> = {
  viewer: Role.VIEWER,
  editor: Role.EDITOR,
  admin: Role.ADMIN,
  owner: Role.OWNER,
};

const kinds = {
  shared: WorkspaceKind.SHARED,
  personal: WorkspaceKind.PERSONAL,
  global: WorkspaceKind.GLOBAL,
} as const;

export const presentRole = (role: WorkspaceRole | undefined): Role =>
  role === undefined ? Role.UNSPECIFIED : roles[role];

/** Undefined for what is no role, the unspecified one among it. */
export const roleOf = (wanted: Role): WorkspaceRole | undefined =>
  (Object.keys(roles) as WorkspaceRole[]).find((role) => roles[role] === wanted);

export function presentWorkspace(workspace: WorkspaceView): MessageInitShape<typeof WorkspaceSchema> {
  const { deletion, personalSubject, updater } = workspace;
  return {
    name: workspaceName(workspace.id),
    displayName: workspace.displayName,
    description: workspace.description,
    annotations: { ...workspace.annotations },
    createTime: timestampFromDate(workspace.createdAt),
    updateTime: timestampFromDate(workspace.updatedAt),
    creator: workspace.creator,
    ...(updater === undefined ? {} : { updater }),
    ...(deletion === undefined
      ? {}
      : {
          deleteTime: timestampFromDate(deletion.at),
          deleter: deletion.by,
          purgeTime: timestampFromDate(deletion.purgeAt),
        }),
    ...(personalSubject === undefined ? {} : { personalWorkspaceSubject: personalSubject }),
    kind: kinds[workspace.kind],
    role: presentRole(workspace.role),
    etag: etagOf(workspace.revision),
  };
}

export function presentMember(member: KnownMember): MessageInitShape<typeof MemberSchema> {
  const { person } = member;
  const group = groupOf(member.member);
  return {
    name: `${workspaceName(member.workspace)}/members/${member.id}`,
    member: member.member,
    role: presentRole(member.role),
    displayName: group ?? person?.name ?? '',
    loginPrincipal: person?.username ?? '',
    active: group !== undefined || person?.disabled === false,
    createTime: timestampFromDate(member.createdAt),
    creator: member.creator,
    updateTime: timestampFromDate(member.updatedAt),
    updater: member.updater,
    etag: etagOf(member.revision),
  };
}

export const presentUser = (
  person: IdentityPerson,
  withEmail: boolean,
): MessageInitShape<typeof UserSchema> => ({
  name: userName(person.subject),
  displayName: person.name,
  active: !person.disabled,
  emails: withEmail && person.email !== '' ? [{ address: person.email }] : [],
  loginPrincipal: person.username,
});
