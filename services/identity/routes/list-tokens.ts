import { cutPage, isoTime, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { presentToken } from '../present.ts';
import type { PersonalToken } from '../tokens.ts';
import { actorOf, askerOf, ownTokensPath, type PeopleParts, peoplePath } from './access.ts';
import { TokenSchema, tags } from './answers.ts';
import { byUsername } from './schemas.ts';

const shared = {
  tags: tags.tokens,
  querystring: Type.Object(pageQuery),
  response: { 200: pageOf(TokenSchema) },
};

/** One's own, the last used first. */
export function registerListOwnTokens(scope: HttpServer, { tokens }: PeopleParts): void {
  const schema = { ...shared, operationId: 'listOwnTokens', summary: 'One’s own sessions and tokens.' };
  scope.get(ownTokensPath, { schema, config: { deed: 'see and end own sign-ins' } }, async (request) =>
    answer(await tokens.list(actorOf(request), askerOf(request)), request.query as Query),
  );
}

/** Of the person in the path, for administrators. */
export function registerListTokens(scope: HttpServer, { service, tokens }: PeopleParts): void {
  const schema = {
    ...shared,
    operationId: 'listTokensOfPerson',
    summary: 'The sessions and tokens of a person.',
    params: byUsername,
  };
  scope.get(
    `${peoplePath}/:username/tokens`,
    { schema, config: { deed: 'administer people' } },
    async (request) => {
      const person = await service.get((request.params as Static<typeof byUsername>).username);
      return answer(await tokens.list(person, askerOf(request)), request.query as Query);
    },
  );
}

type Query = Static<typeof shared.querystring>;

function answer(all: readonly PersonalToken[], { pageSize = 100, pageToken }: Query) {
  const sorted = all.toSorted((a, b) => compare(placeOf(b), placeOf(a)));
  const after = placeAfter(pageToken, isoTime, /^[0-9a-f]{32}$/);
  const rest = after === undefined ? sorted : sorted.filter((token) => compare(placeOf(token), after) < 0);
  const { page, next } = cutPage(rest, pageSize, placeOf);
  return { items: page.map(presentToken), ...next };
}

const placeOf = ({ lastUsedAt, createdAt, id }: PersonalToken): string[] => [
  (lastUsedAt ?? createdAt).toISOString(),
  id,
];

/** ISO times and hashes sort as text. */
const compare = ([time = '', id = '']: string[], [otherTime = '', otherId = '']: string[]): number =>
  time === otherTime ? (id < otherId ? -1 : Number(id > otherId)) : time < otherTime ? -1 : 1;
