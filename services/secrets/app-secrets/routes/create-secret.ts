import { Type } from '@fastify/type-provider-typebox';
import { idOfNew } from '@haic/kit/http/idempotency/hook.ts';
import { problems } from '@haic/kit/http/operation.ts';
import { presentSecret } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { doing, placeFields, readValues, SecretSchema, tags, ValuesSchema } from './schemas.ts';

const schema = {
  operationId: 'createSecret',
  summary: 'Keeps a secret, for apps to use.',
  tags,
  body: Type.Object(
    { name: Type.String({ maxLength: 300 }), ...placeFields, values: ValuesSchema },
    { additionalProperties: false },
  ),
  response: { 201: SecretSchema, ...problems(409) },
};
/** As much as a secret can be, written in base64. */
export const bodyLimit = 2 * 1024 * 1024;

/** POST /api/v1/secrets: PRIVATE unless another visibility is asked for. */
export function createSecretRoute(server: SecretsServer, { service, namesOf }: RouteContext): void {
  const options = {
    schema,
    bodyLimit,
    config: { ...doing('actions/securestore/secrets/CREATE'), idempotent: { secrets: [] } },
  };
  server.post('/api/v1/secrets', options, async (request, reply) => {
    const { name, visibility, parent = '', values } = request.body;
    const wanted = { name, visibility, parent, values: readValues(values), uid: idOfNew(request) };
    const secret = await service.create(callerOf(request), wanted);
    const { creator, changedBy } = secret.kept;
    return reply.code(201).send(presentSecret(secret, await namesOf([creator, changedBy])));
  });
}
