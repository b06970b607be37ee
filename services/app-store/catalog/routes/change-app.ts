import { Type } from '@fastify/type-provider-typebox';
import { invalid } from '@haic/kit/errors.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAppDetails } from '../present.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { AppDetailsSchema, IdParams, tags, VisibilitySchema } from './schemas.ts';

const schema = {
  operationId: 'changeApp',
  summary: 'Changes who sees the app, or gives it to somebody else.',
  tags,
  params: IdParams,
  body: Type.Object(
    {
      visibility: Type.Optional(VisibilitySchema),
      owner: Type.Optional(
        Type.String({
          maxLength: 128,
          description: 'User name of who shall own it: somebody who is not disabled and has full access.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: AppDetailsSchema },
};

/** PATCH /api/v1/apps/:id: the visibility and the owner, all of an app that changes. */
export function changeAppRoute(server: CatalogServer, { service, view }: RouteContext): void {
  server.patch(
    '/api/v1/apps/:id',
    {
      schema,
      config: {
        deed: 'change apps',
        audit: {
          action: 'actions/appstore/apps/UPDATE',
          resource: '//appstore/apps/{id}',
          parameters: ['visibility', 'owner'],
        },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { visibility, owner } = request.body;
      const { id } = request.params;
      if (visibility === undefined && owner === undefined)
        throw invalid('nothing_to_change', 'Name what to change: visibility or owner.');
      // The visibility first: afterwards it may be somebody else's to change.
      if (visibility !== undefined) await service.setVisibility(principal, id, visibility);
      const app =
        owner === undefined
          ? await service.getApp(principal, id)
          : await service.handOver(principal, id, owner);
      return presentAppDetails(app, await service.versionsOf(principal, app), principal, view);
    },
  );
}
