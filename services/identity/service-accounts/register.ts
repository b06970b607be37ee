import type { HttpServer } from '@haic/kit/http/server.ts';
import { mayAdministerPeople } from '../policy.ts';
import { actorOf, admit, type FindActivePerson } from '../routes/access.ts';
import { registerServiceAccountRoutes } from '../routes/service-accounts.ts';
import type { ServiceAccountsService } from './service.ts';

/** `/api/v1/service-accounts` for administrators, and the same for the operator (`./haic service-account`). */
export function registerServiceAccounts(
  server: HttpServer,
  parts: { accounts: ServiceAccountsService; findActivePerson: FindActivePerson },
): void {
  const { accounts } = parts;
  server.register(async (scope) => {
    admit(scope, parts, mayAdministerPeople);
    registerServiceAccountRoutes(scope, {
      accounts,
      path: '/api/v1/service-accounts',
      deed: 'administer people',
      secretDeed: 'make passwords and secrets',
      by: actorOf,
    });
  });
  server.register(async (scope) =>
    registerServiceAccountRoutes(scope, {
      accounts,
      path: '/internal/identity/service-accounts',
      deed: 'operate',
      secretDeed: 'operate',
      by: () => undefined,
    }),
  );
}
