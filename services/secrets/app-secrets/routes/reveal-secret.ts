import { Type } from '@fastify/type-provider-typebox';
import { problems } from '@haic/kit/http/operation.ts';
import { presentSecret, presentValues } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { doing, NameParams, PlaceQuery, SecretSchema, secretAt, tags, ValuesSchema } from './schemas.ts';

const schema = {
  operationId: 'revealSecret',
  summary: 'Reads the values of a secret, which is recorded.',
  description: 'For who keeps it: its owner, or administrators. What cannot be recorded is not shown.',
  tags,
  params: NameParams,
  querystring: PlaceQuery,
  response: {
    200: Type.Object({ secret: SecretSchema, values: ValuesSchema }, { additionalProperties: false }),
    ...problems(429),
  },
};

const config = doing('actions/securestore/versions/REVEALVALUE', true);

/** POST /api/v1/secrets/:name/reveal: no GET, so that no browser or cache asks for it by itself. */
export function revealSecretRoute(server: SecretsServer, { service, namesOf }: RouteContext): void {
  server.post('/api/v1/secrets/:name/reveal', { schema, config }, async (request, reply) => {
    const { secret, values } = await service.reveal(
      callerOf(request),
      secretAt(request.params, request.query),
    );
    const nameOf = await namesOf([secret.kept.creator, secret.kept.changedBy]);
    reply.header('cache-control', 'no-store');
    return { secret: presentSecret(secret, nameOf), values: presentValues(values) };
  });
}
