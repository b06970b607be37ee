import { noContent, problems } from '@haic/kit/http/operation.ts';
import { presentSecret } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { doing, NameParams, PlaceQuery, SecretSchema, secretAt, tags } from './schemas.ts';

const place = { tags, params: NameParams, querystring: PlaceQuery };

const deleting = {
  operationId: 'deleteSecret',
  summary: 'Deletes a secret that no app uses. It can be brought back for thirty days.',
  ...place,
  response: { 204: noContent, ...problems(409) },
};

const restoring = {
  operationId: 'restoreSecret',
  summary: 'Brings a deleted secret back, as it was.',
  ...place,
  response: { 200: SecretSchema },
};

/** DELETE /api/v1/secrets/:name (409 while it is used, its users named), and POST …/restore. */
export function deleteSecretRoutes(server: SecretsServer, { service, namesOf }: RouteContext): void {
  server.delete(
    '/api/v1/secrets/:name',
    { schema: deleting, config: doing('actions/securestore/secrets/DELETE') },
    async (request, reply) => {
      await service.remove(callerOf(request), secretAt(request.params, request.query));
      return reply.code(204).send();
    },
  );
  server.post(
    '/api/v1/secrets/:name/restore',
    { schema: restoring, config: doing('actions/securestore/secrets/UNDELETE') },
    async (request) => {
      const secret = await service.restore(callerOf(request), secretAt(request.params, request.query));
      return presentSecret(secret, await namesOf([secret.kept.creator, secret.kept.changedBy]));
    },
  );
}
