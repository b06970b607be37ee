import type { HttpServer } from '@haic/kit/http/server.ts';
import { mayAdministerForeignResources } from '../policy.ts';
import { actorOf, admit, type FindActivePerson } from '../routes/access.ts';
import { registerForeignResourceRoutes } from '../routes/foreign-resources.ts';
import type { ForeignResourcesService } from './service.ts';

/** `/api/v1/foreign-resources` for administrators, and the same for the operator (`./haic foreign-resource`). */
export function registerForeignResources(
  server: HttpServer,
  parts: { resources: ForeignResourcesService; findActivePerson: FindActivePerson },
): void {
  const { resources } = parts;
  server.register(async (scope) => {
    admit(scope, parts, mayAdministerForeignResources);
    registerForeignResourceRoutes(scope, {
      resources,
      path: '/api/v1/foreign-resources',
      deed: 'administer foreign resources',
      by: actorOf,
    });
  });
  server.register(async (scope) =>
    registerForeignResourceRoutes(scope, {
      resources,
      path: '/internal/identity/foreign-resources',
      deed: 'operate',
      by: () => undefined,
    }),
  );
}
