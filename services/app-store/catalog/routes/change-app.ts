import { Type } from '@fastify/type-provider-typebox';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAppDetails } from '../present.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { AppDetailsSchema, IdParams, tags, VisibilitySchema } from './schemas.ts';

const schema = {
  operationId: 'changeApp',
  summary: 'Changes who sees the app.',
  tags,
  params: IdParams,
  body: Type.Object({ visibility: VisibilitySchema }, { additionalProperties: false }),
  response: { 200: AppDetailsSchema },
};

/** PATCH /api/v1/apps/:id: the visibility, the one thing of an app that changes. */
export function changeAppRoute(server: CatalogServer, { service, view }: RouteContext): void {
  server.patch('/api/v1/apps/:id', { schema }, async (request) => {
    const principal = principalOf(request);
    const app = await service.setVisibility(principal, request.params.id, request.body.visibility);
    return presentAppDetails(app, await service.versionsOf(principal, app), principal, view);
  });
}
