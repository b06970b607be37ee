import { Type } from '@fastify/type-provider-typebox';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAppDetails } from '../present.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { AppDetailsSchema, IdParams, tags } from './schemas.ts';

const all = {
  operationId: 'checkPreconditions',
  summary: 'For administrators: looks at every app whether it can still run here.',
  tags,
  response: {
    200: Type.Object(
      {
        checked: Type.Integer({ description: 'Apps that were looked at.' }),
        failed: Type.Integer({ description: 'Of them, those that cannot run.' }),
      },
      { additionalProperties: false },
    ),
  },
};
const one = {
  operationId: 'checkAppPreconditions',
  summary: 'Looks at one app whether it can still run here, and at every byte of its bundle.',
  tags,
  params: IdParams,
  response: { 200: AppDetailsSchema },
};

const unaudited = 'it looks at what is there and notes what it saw, as by itself every hour';

/** What the checker does every hour by itself, now. */
export function checkPreconditionsRoutes(server: CatalogServer, { service, view }: RouteContext): void {
  server.post(
    '/api/v1/apps/preconditions',
    { schema: all, config: { deed: 'administer the store', unaudited } },
    (request) => service.checkPreconditions(principalOf(request)),
  );
  server.post(
    '/api/v1/apps/:id/preconditions',
    { schema: one, config: { deed: 'change apps', unaudited } },
    async (request) => {
      const principal = principalOf(request);
      const app = await service.checkPrecondition(principal, request.params.id);
      return presentAppDetails(app, await service.versionsOf(principal, app), principal, view);
    },
  );
}
