import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { usernamePattern } from '../model.ts';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './access.ts';
import { PersonSchema, tags } from './answers.ts';
import { searchText } from './schemas.ts';

const querystring = Type.Object({
  ...pageQuery,
  query: Type.Optional(searchText),
  /** Only who has exactly this role, or is in exactly this group. */
  role: Type.Optional(searchText),
  group: Type.Optional(searchText),
});

const schema = {
  operationId: 'listPeople',
  summary: 'Everybody, by user name.',
  tags: tags.people,
  querystring,
  response: { 200: pageOf(PersonSchema) },
};

/** GET /api/v1/people: by user name. */
export function registerListPeople(scope: HttpServer, { service }: PeopleParts): void {
  scope.get(peoplePath, { schema, config: { deed: 'administer people' } }, async (request) => {
    const { pageSize = 50, pageToken, query = '', role, group } = request.query as Static<typeof querystring>;
    const people = await service.page({
      text: query.trim(),
      role,
      group,
      // The last person shown; who is added meanwhile shifts nothing.
      after: placeAfter(pageToken, usernamePattern)?.[0] ?? '',
      limit: pageSize + 1,
    });
    const { page, next } = cutPage(people, pageSize, ({ username }) => [username]);
    return { items: page.map(presentPerson), ...next };
  });
}
