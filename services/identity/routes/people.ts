import type { HttpServer } from '@haic/kit/http/server.ts';
import { mayAdministerPeople, mayManageOwnTokens } from '../policy.ts';
import { admit, type PeopleParts } from './access.ts';
import { registerAddPerson } from './add-person.ts';
import { registerChangePerson } from './change-person.ts';
import { registerGetPerson } from './get-person.ts';
import { registerGroupMembers } from './group-members.ts';
import { registerGroupRoutes } from './groups.ts';
import { registerListPeople } from './list-people.ts';
import { registerListOwnTokens, registerListTokens } from './list-tokens.ts';
import { registerRemovePerson } from './remove-person.ts';
import { registerReplacePassword } from './replace-password.ts';
import { registerRevokeOwnToken, registerRevokeToken } from './revoke-token.ts';
import { registerRoleRoutes } from './roles.ts';

/** The public API: administrators on people, everybody on their own sessions and tokens. */
export function registerPeopleRoutes(server: HttpServer, parts: PeopleParts): void {
  server.register(async (scope) => {
    admit(scope, parts, mayAdministerPeople);
    registerListPeople(scope, parts);
    registerAddPerson(scope, parts);
    registerGetPerson(scope, parts);
    registerChangePerson(scope, parts);
    registerRemovePerson(scope, parts);
    registerReplacePassword(scope, parts);
    registerListTokens(scope, parts);
    registerRevokeToken(scope, parts);
    registerGroupRoutes(scope, parts);
    registerGroupMembers(scope, parts);
    registerRoleRoutes(scope, parts);
  });
  server.register(async (scope) => {
    admit(scope, parts, mayManageOwnTokens);
    registerListOwnTokens(scope, parts);
    registerRevokeOwnToken(scope, parts);
  });
}
