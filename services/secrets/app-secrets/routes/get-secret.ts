import { principalOf } from '@haic/kit/http/server.ts';
import { presentSecretDetails } from '../present.ts';
import type { RouteContext, SecretsServer } from './context.ts';
import { NameParams, PlaceQuery, reading, SecretDetailsSchema, secretAt, tags } from './schemas.ts';

const schema = {
  operationId: 'getSecret',
  summary: 'A secret without its values, and which apps use it.',
  tags,
  params: NameParams,
  querystring: PlaceQuery,
  response: { 200: SecretDetailsSchema },
};

/** GET /api/v1/secrets/:name: without a visibility one’s own, else one for all users. */
export function getSecretRoute(server: SecretsServer, { service, namesOf }: RouteContext): void {
  server.get(
    '/api/v1/secrets/:name',
    { schema, config: reading('actions/securestore/secrets/GET') },
    async (request) => {
      const principal = principalOf(request);
      const secret = await service.get(principal, secretAt(request.params, request.query));
      const users = await service.usersOf(principal, secret);
      return presentSecretDetails(secret, users, await namesOf([secret.kept.creator, secret.kept.changedBy]));
    },
  );
}
