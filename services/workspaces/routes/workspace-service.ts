import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { type ListRequest, readListQuery } from '@haic/kit/filter/list.ts';
import { type ServedService, serve } from '@haic/kit/grpc-gateway/service.ts';
import { changesBy, type UpdateRules } from '@haic/kit/grpc-gateway/update-mask.ts';
import {
  type UpdateWorkspaceRequest,
  WorkspaceSchema,
  WorkspaceService,
  WorkspaceState,
} from '../gen/haic/authz/v1/workspaces_pb.js';
import type { MembersService } from '../members.ts';
import type { WorkspaceFields } from '../model.ts';
import { presentWorkspace } from '../present.ts';
import type { Listing, WorkspacesService } from '../service.ts';
import { workspaceList } from '../store.ts';
import { callerOf } from './caller.ts';
import { nameOf, refusalsOf } from './told.ts';

export function serveWorkspaces(service: WorkspacesService, members: MembersService): ServedService {
  const implementation: ServiceImpl<typeof WorkspaceService> = {
    createWorkspace: async ({ workspace }, context) => {
      const { displayName = '', description = '', annotations = {} } = workspace ?? {};
      const made = await service.create(callerOf(context), { displayName, description, annotations });
      return { workspace: presentWorkspace(made) };
    },
    getWorkspace: async ({ name }, context) => ({
      workspace: presentWorkspace(await service.get(callerOf(context), name)),
    }),
    listWorkspaces: async (request, context) => {
      const found = await service.page(callerOf(context), listingOf(request), queryOf(request));
      return { workspaces: found.items.map(presentWorkspace), nextPageToken: found.nextPageToken };
    },
    countWorkspaces: async (request, context) => ({
      totalSize: BigInt(await service.count(callerOf(context), listingOf(request), queryOf(request))),
    }),
    updateWorkspace: async ({ workspace = create(WorkspaceSchema), updateMask }, context) => {
      const changes = changesBy(WorkspaceSchema, workspace, updateMask, updates);
      const updated = await service.update(callerOf(context), workspace.name, changes, workspace.etag);
      return { workspace: presentWorkspace(updated) };
    },
    deleteWorkspace: async ({ name, etag }, context) => ({
      workspace: presentWorkspace(await service.delete(callerOf(context), name, etag)),
    }),
    undeleteWorkspace: async ({ name }, context) => ({
      workspace: presentWorkspace(await service.restore(callerOf(context), name)),
    }),
    leaveWorkspace: async ({ name }, context) => {
      await members.leave(callerOf(context), name);
      return {};
    },
    assignOwner: async ({ name, owner }, context) => ({
      workspace: presentWorkspace(await service.assignOwner(callerOf(context), name, owner)),
    }),
  };
  const administer = { deed: 'administer workspaces' } as const;
  const write = { deed: 'change workspaces' } as const;
  return serve(WorkspaceService, implementation, {
    methods: {
      createWorkspace: {
        ...write,
        ...refusalsOf('actions/workspaceserver/workspaces/CREATE', () => 'workspaces'),
      },
      updateWorkspace: {
        ...write,
        ...refusalsOf('actions/workspaceserver/workspaces/UPDATE', nameOfUpdated),
      },
      deleteWorkspace: { ...administer, ...refusalsOf('actions/workspaceserver/workspaces/DELETE', nameOf) },
      undeleteWorkspace: {
        ...administer,
        ...refusalsOf('actions/workspaceserver/workspaces/UNDELETE', nameOf),
      },
      leaveWorkspace: { ...administer, ...refusalsOf('actions/workspaceserver/members/LEAVE', nameOf) },
      assignOwner: {
        ...administer,
        ...refusalsOf('actions/workspaceserver/workspaces/ASSIGN_OWNER', nameOf),
      },
    },
  });
}

const nameOfUpdated = ({ workspace }: UpdateWorkspaceRequest): string => workspace?.name ?? 'workspaces';

const listingOf = (request: { readonly state: WorkspaceState; readonly showAll: boolean }): Listing => ({
  deleted: request.state === WorkspaceState.DELETED,
  all: request.showAll,
});

const queryOf = (request: ListRequest & { readonly state: WorkspaceState; readonly showAll: boolean }) =>
  readListQuery(workspaceList, request, String(request.state), String(request.showAll));

const updates = {
  changeable: ['displayName', 'description', 'annotations'],
  outputOnly: [
    ...['createTime', 'updateTime', 'creator', 'updater', 'deleteTime', 'deleter', 'purgeTime'],
    ...['personalWorkspaceSubject', 'tags', 'labels', 'kind', 'role', 'etag'],
  ],
  unmasked: 'what is given',
} as const satisfies UpdateRules<typeof WorkspaceSchema, keyof WorkspaceFields>;
