import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { AppGrantsClient } from '../client.ts';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const config = { deed: 'route' } as const;
const params = Type.Object({ instanceId: text(64) });
const needed = { params, body: Type.Object({ subject: text(255) }) };
const keep = {
  params,
  body: Type.Object({
    subject: text(255),
    callback: Type.Object({ url: text(8192), state: text(512), nonce: text(512), verifier: text(512) }),
  }),
};

/** `/internal/identity/app-grants/…`: what the router, and nobody else, asks when an owner opens an instance. */
export function registerAppGrantRoutes(parent: HttpServer, grants: AppGrantsClient): void {
  parent.register(async (plain) => {
    const scope = plain.withTypeProvider<TypeBoxTypeProvider>();
    scope.post(
      '/internal/identity/app-grants/:instanceId/needed',
      { schema: needed, config },
      async (request) => (await grants.grantNeeded({ ...request.params, ...request.body })) ?? {},
    );
    scope.post(
      '/internal/identity/app-grants/:instanceId',
      { schema: keep, config },
      async (request, reply) => {
        await grants.keepGrant({ ...request.params, ...request.body });
        return reply.code(204).send();
      },
    );
  });
}
