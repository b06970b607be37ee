import { Type } from '@fastify/type-provider-typebox';
import { pageOf, pageQuery } from '@haic/kit/http/paging.ts';
import { oauthClientName } from '../model.ts';
import { presentOwner } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { administering, ClientParams, clientTags } from './schemas.ts';

const PersonSchema = Type.Object(
  {
    subject: Type.String(),
    username: Type.String(),
    accounts: Type.Integer({ description: 'How many, connected or not.' }),
  },
  { title: 'OAuthClientPerson', additionalProperties: false },
);

const schema = {
  operationId: 'listPeopleOfOAuthClient',
  summary: 'Who has accounts by an OAuth client, and would lose them with it.',
  tags: clientTags,
  params: ClientParams,
  querystring: Type.Object(pageQuery),
  response: {
    200: Type.Object(
      { ...pageOf(PersonSchema).properties, total: Type.Integer({ description: 'How many people.' }) },
      { additionalProperties: false },
    ),
  },
};

/** GET /api/v1/oauth-clients/:client/people */
export function listClientPeopleRoute(server: SecretsServer, { clients, namesOf }: RouteContext): void {
  const at = '/api/v1/oauth-clients/:client/people';
  server.get(
    at,
    { schema, config: administering('actions/securestore/oauthClients/LIST') },
    async (request) => {
      const name = oauthClientName({ id: request.params.client });
      const { pageSize = 0, pageToken = '' } = request.query;
      const found = await clients.peopleOf(callerOf(request), name, { pageSize, pageToken });
      const nameOf = await namesOf(found.people.map(({ subject }) => `users/${subject}`));
      return {
        items: found.people.map((person) => presentOwner(person, nameOf)),
        ...(found.nextPageToken === '' ? {} : { nextPageToken: found.nextPageToken }),
        total: found.total,
      };
    },
  );
}
