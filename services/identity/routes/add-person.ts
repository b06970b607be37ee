import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './people.ts';
import { newPerson } from './schemas.ts';

/** POST /api/v1/people: the generated password is in this answer and nowhere else. */
export function registerAddPerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.post(peoplePath, { schema: { body: newPerson } }, async (request, reply) => {
    const { roles = [], groups = [], ...details } = request.body as Static<typeof newPerson>;
    const { person, password } = await service.add({ ...details, roles, groups });
    reply.code(201).header('location', `${peoplePath}/${encodeURIComponent(person.username)}`);
    return { person: presentPerson(person), password };
  });
}
