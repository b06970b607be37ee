import { invalid } from '@haic/kit/errors.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { isUsername } from '../model.ts';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './people.ts';
import { searchText } from './schemas.ts';

const querystring = Type.Object({
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  pageToken: Type.Optional(Type.String({ maxLength: 300 })),
  query: Type.Optional(searchText),
  /** Only who has exactly this role, or is in exactly this group. */
  role: Type.Optional(searchText),
  group: Type.Optional(searchText),
});

/** GET /api/v1/people: by user name. */
export function registerListPeople(scope: HttpServer, { service }: PeopleParts): void {
  scope.get(peoplePath, { schema: { querystring } }, async (request) => {
    const { pageSize = 50, pageToken, query = '', role, group } = request.query as Static<typeof querystring>;
    const people = await service.page({
      text: query.trim(),
      role,
      group,
      after: pageToken === undefined || pageToken === '' ? '' : readPageToken(pageToken),
      limit: pageSize + 1,
    });
    const page = people.slice(0, pageSize);
    const last = people.length > pageSize ? page.at(-1) : undefined;
    return {
      items: page.map(presentPerson),
      ...(last === undefined ? {} : { nextPageToken: Buffer.from(last.username).toString('base64url') }),
    };
  });
}

/** The last person shown; who is added meanwhile shifts nothing. */
function readPageToken(token: string): string {
  const username = Buffer.from(token, 'base64url').toString();
  if (!isUsername(username))
    throw invalid(
      'invalid_page_token',
      'This pageToken is not one that a list gave. Start again without it.',
    );
  return username;
}
