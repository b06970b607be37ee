import { forbidden } from '@haic/kit/errors.ts';
import { type FastifyRequest, type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import { decodeJwt } from 'jose';
import type { GroupsService } from '../groups.ts';
import type { Person } from '../model.ts';
import type { Decision } from '../policy.ts';
import type { PeopleService } from '../service.ts';
import type { Asker, TokensService } from '../tokens.ts';

export const peoplePath = '/api/v1/people';
export const ownTokensPath = '/api/v1/me/tokens';

export type FindActivePerson = (id: string) => Promise<Person | undefined>;

export interface PeopleParts {
  readonly findActivePerson: FindActivePerson;
  readonly service: PeopleService;
  readonly groups: GroupsService;
  readonly tokens: TokensService;
}

const actors = new WeakMap<FastifyRequest, Person>();

type Rule = (person: Person | undefined) => Decision;

/** Decides before anything of the request is looked at, with the actor as the database knows them now. */
export function admit(
  scope: HttpServer,
  { findActivePerson }: Pick<PeopleParts, 'findActivePerson'>,
  rule: Rule,
): void {
  scope.addHook('preValidation', async (request, reply) => {
    const principal = principalOf(request);
    const person = await findActivePerson(principal.subject);
    const decision = rule(person);
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
