import { forbidden } from '@haic/kit/errors.ts';
import { type FastifyRequest, type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import { decodeJwt } from 'jose';
import type { GroupsService } from '../groups.ts';
import type { Person } from '../model.ts';
import { type Decision, mayAdministerPeople, mayManageOwnTokens } from '../policy.ts';
import type { PeopleService } from '../service.ts';
import type { PeopleStore } from '../store.ts';
import type { Asker, TokensService } from '../tokens.ts';
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

export const peoplePath = '/api/v1/people';
export const ownTokensPath = '/api/v1/me/tokens';

export interface PeopleParts {
  readonly people: PeopleStore;
  readonly service: PeopleService;
  readonly groups: GroupsService;
  readonly tokens: TokensService;
}

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

const actors = new WeakMap<FastifyRequest, Person>();

type Rule = (actor: ReturnType<typeof principalOf>, person: Person | undefined) => Decision;

/** Decides before anything of the request is looked at, with the actor as the database knows them now. */
function admit(scope: HttpServer, { people }: PeopleParts, rule: Rule): void {
  scope.addHook('preValidation', async (request, reply) => {
    const principal = principalOf(request);
    const person = await people.byId(principal.subject);
    const decision = rule(principal, person);
    if (!decision.allowed) throw forbidden(decision.code, decision.reason);
    if (person !== undefined) actors.set(request, person);
    reply.header('cache-control', 'no-store');
  });
}

/** The person who asks, on a route that `admit` guards. */
export function actorOf(request: FastifyRequest): Person {
  const person = actors.get(request);
  if (person === undefined) throw new Error('This route lets people in unasked.');
  return person;
}

/** The token was verified when the request came in; only its `sid` is read here. */
export function askerOf(request: FastifyRequest): Asker {
  const { party, token } = principalOf(request);
  const { sid } = decodeJwt(token);
  return { party, sid: typeof sid === 'string' ? sid : undefined };
}
