import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { type AppGrantsClient, mostAskedAbout, type PeopleStandingClient } from '../client.ts';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const config = { deed: 'route', unaudited: 'what the router asks on the way' } as const;
const params = Type.Object({ instanceId: text(64) });
const needed = { params, body: Type.Object({ subject: text(255) }) };
const keep = {
  params,
  body: Type.Object({
    subject: text(255),
    callback: Type.Object({ url: text(8192), state: text(512), nonce: text(512), verifier: text(512) }),
  }),
};
const among = { body: Type.Object({ subjects: Type.Array(text(255), { maxItems: mostAskedAbout }) }) };

/** What the router, and nobody else, asks: when an owner opens an instance, and again and again who of those signed in may still be. */
export function registerRouterRoutes(
  parent: HttpServer,
  identity: AppGrantsClient & PeopleStandingClient,
): void {
  parent.register(async (plain) => {
    const scope = plain.withTypeProvider<TypeBoxTypeProvider>();
    scope.post(
      '/internal/identity/app-grants/:instanceId/needed',
      { schema: needed, config },
      async (request) => (await identity.grantNeeded({ ...request.params, ...request.body })) ?? {},
    );
    scope.post(
      '/internal/identity/app-grants/:instanceId',
      { schema: keep, config },
      async (request, reply) => {
        await identity.keepGrant({ ...request.params, ...request.body });
        return reply.code(204).send();
      },
    );
    scope.post('/internal/identity/active-among', { schema: among, config }, async (request) => ({
      active: await identity.activeAmong(request.body.subjects),
    }));
  });
}
