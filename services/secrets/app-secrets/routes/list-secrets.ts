import { Type } from '@fastify/type-provider-typebox';
import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentSecret } from '../present.ts';
import type { RouteContext, SecretsServer } from './context.ts';
import { placeFields, reading, SecretSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'listSecrets',
  summary: 'The secrets that one may see, by name. Without their values.',
  description:
    'Without a visibility one’s own and those for all users. Those of apps are for administrators.',
  tags,
  querystring: Type.Object({
    ...pageQuery,
    ...placeFields,
    query: Type.Optional(
      Type.String({ maxLength: 200, pattern: '^[^\\u0000]*$', description: 'Part of the name.' }),
    ),
  }),
  response: { 200: pageOf(SecretSchema) },
};

/** PostgreSQL knows no NUL. */
const place = /^[^\0]{1,200}$/u;

/** GET /api/v1/secrets */
export function listSecretsRoute(server: SecretsServer, { service, namesOf }: RouteContext): void {
  server.get(
    '/api/v1/secrets',
    { schema, config: reading('actions/securestore/secrets/LIST') },
    async (request) => {
      const { pageSize = 50, pageToken, query = '', visibility, parent = '' } = request.query;
      const [id, after] = placeAfter(pageToken, place, place) ?? [];
      const secrets = await service.list(principalOf(request), {
        visibility,
        parent,
        text: query.trim().toLowerCase(),
        after: id === undefined || after === undefined ? undefined : { id, parent: after },
        limit: pageSize + 1,
      });
      const { page, next } = cutPage(secrets, pageSize, ({ kept }) => [kept.id, kept.parent]);
      const nameOf = await namesOf(page.flatMap(({ kept }) => [kept.creator, kept.changedBy]));
      return { items: page.map((secret) => presentSecret(secret, nameOf)), ...next };
    },
  );
}
