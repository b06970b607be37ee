import { problems } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './access.ts';
import { AddedPersonSchema, tags } from './answers.ts';
import { newPerson } from './schemas.ts';

const schema = {
  operationId: 'addPerson',
  summary: 'Adds a person, with a generated password.',
  tags: tags.people,
  body: newPerson,
  response: { 201: AddedPersonSchema, ...problems(409) },
};

/** POST /api/v1/people: the generated password is in this answer and nowhere else, not even when it is given again. */
export function registerAddPerson(scope: HttpServer, { service }: PeopleParts): void {
  const config = {
    deed: 'administer people',
    idempotent: { secrets: ['password'] },
    audit: {
      action: 'actions/identity/people/CREATE',
      resource: '//identity/people/{answer.person.username}',
      parameters: ['username', 'roles', 'groups'],
    },
  } as const;
  scope.post(peoplePath, { schema, config }, async (request, reply) => {
    const { roles = [], groups = [], ...details } = request.body as Static<typeof newPerson>;
    const { person, password } = await service.add({ ...details, roles, groups });
    reply.code(201).header('location', `${peoplePath}/${encodeURIComponent(person.username)}`);
    return { person: presentPerson(person), password };
  });
}
