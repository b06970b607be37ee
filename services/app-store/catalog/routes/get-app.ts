import { principalOf } from '@haic/kit/http/server.ts';
import { presentAppDetails } from '../present.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { AppDetailsSchema, IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'getApp',
  summary: 'An app with its long description and the other versions of its name.',
  tags,
  params: IdParams,
  response: { 200: AppDetailsSchema },
};

/** GET /api/v1/apps/:id: with its long description and the other versions of its name. */
export function getAppRoute(server: CatalogServer, { service, view }: RouteContext): void {
  server.get('/api/v1/apps/:id', { schema, config: { deed: 'see apps' } }, async (request) => {
    const principal = principalOf(request);
    const app = await service.getApp(principal, request.params.id);
    return presentAppDetails(app, await service.versionsOf(principal, app), principal, view);
  });
}
