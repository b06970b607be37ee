import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { invalid } from '@haic/kit/errors.ts';
import { readListQuery } from '@haic/kit/filter/list.ts';
import { type ServedService, serve } from '@haic/kit/grpc-gateway/service.ts';
import { changesBy, type UpdateRules } from '@haic/kit/grpc-gateway/update-mask.ts';
import type { WorkspaceRole } from '../client.ts';
import { MemberSchema, MemberService, type UpdateMemberRequest } from '../gen/haic/authz/v1/members_pb.js';
import type { Role } from '../gen/haic/authz/v1/role_pb.js';
import { memberList } from '../member-store.ts';
import type { MembersService } from '../members.ts';
import { presentMember, roleOf } from '../present.ts';
import { callerOf } from './caller.ts';
import { nameOf, refusalsOf } from './told.ts';

export function serveMembers(service: MembersService): ServedService {
  const implementation: ServiceImpl<typeof MemberService> = {
    listMembers: async ({ parent, pageSize, pageToken }, context) => {
      const query = readListQuery(memberList, { pageSize, pageToken }, parent);
      const { items, nextPageToken } = await service.page(callerOf(context), parent, query);
      return { members: items.map(presentMember), nextPageToken };
    },
    createMember: async ({ parent, member }, context) => {
      const role = wantedRole(member?.role);
      const added = await service.add(callerOf(context), parent, member?.member ?? '', role);
      return { member: presentMember(added) };
    },
    updateMember: async ({ member = create(MemberSchema), updateMask }, context) => {
      const role = wantedRole(changesBy(MemberSchema, member, updateMask, updates).role);
      const changed = await service.change(callerOf(context), member.name, role, member.etag);
      return { member: presentMember(changed) };
    },
    deleteMember: async ({ name, etag }, context) => {
      await service.remove(callerOf(context), name, etag);
      return {};
    },
  };
  const administer = { deed: 'administer workspaces' } as const;
  return serve(MemberService, implementation, {
    methods: {
      createMember: { ...administer, ...refusalsOf('actions/workspaceserver/members/CREATE', membersIn) },
      updateMember: { ...administer, ...refusalsOf('actions/workspaceserver/members/UPDATE', nameOfUpdated) },
      deleteMember: { ...administer, ...refusalsOf('actions/workspaceserver/members/DELETE', nameOf) },
    },
  });
}

const updates = {
  changeable: ['role'],
  outputOnly: [
    ...['displayName', 'loginPrincipal', 'active', 'createTime', 'creator', 'updateTime', 'updater', 'etag'],
  ],
  unmasked: 'what is given',
} as const satisfies UpdateRules<typeof MemberSchema, 'role'>;

const membersIn = ({ parent }: { readonly parent: string }): string => `${parent}/members`;
const nameOfUpdated = ({ member }: UpdateMemberRequest): string => member?.name ?? 'workspaces';

function wantedRole(role: Role | undefined): WorkspaceRole {
  const wanted = role === undefined ? undefined : roleOf(role);
  if (wanted === undefined)
    throw invalid('bad_role', 'Say which role: ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN or ROLE_OWNER.');
  return wanted;
}
