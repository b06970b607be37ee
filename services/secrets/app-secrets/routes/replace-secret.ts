import { Type } from '@fastify/type-provider-typebox';
import { presentSecret } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { bodyLimit } from './create-secret.ts';
import {
  doing,
  NameParams,
  PlaceQuery,
  readValues,
  SecretSchema,
  secretAt,
  tags,
  ValuesSchema,
} from './schemas.ts';

const schema = {
  operationId: 'replaceSecret',
  summary: 'Replaces all keys of a secret. Apps get the new values when they start next.',
  tags,
  params: NameParams,
  querystring: PlaceQuery,
  body: Type.Object(
    {
      values: ValuesSchema,
      keep: Type.Optional(
        Type.Array(Type.String({ maxLength: 300 }), {
          maxItems: 1000,
          description: 'Keys that stay, with the values that they have.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: SecretSchema },
};

/** PUT /api/v1/secrets/:name */
export function replaceSecretRoute(server: SecretsServer, { service, namesOf }: RouteContext): void {
  server.put(
    '/api/v1/secrets/:name',
    { schema, bodyLimit, config: doing('actions/securestore/versions/CREATE') },
    async (request) => {
      const at = secretAt(request.params, request.query);
      const { values, keep } = request.body;
      const secret = await service.replace(callerOf(request), at, readValues(values), keep);
      return presentSecret(secret, await namesOf([secret.kept.creator, secret.kept.changedBy]));
    },
  );
}
