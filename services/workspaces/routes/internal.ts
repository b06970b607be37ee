import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { PartyKind } from '@haic/kit/auth/principal.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { actorOf, type WorkspaceActor, type WorkspacesClient } from '../client.ts';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const labels = Type.Array(Type.String({ maxLength: 400 }), { maxItems: 10_000 });
const Actor = Type.Object({
  subject: text(255),
  username: text(255),
  roles: labels,
  groups: labels,
  partyKind: Type.Optional(Type.Unsafe<PartyKind>(Type.String({ maxLength: 20 }))),
});
const config = { deed: 'ask about access', unaudited: 'a question of a service' } as const;

/** `/internal/workspaces/…`: what other services of the platform ask about somebody, where they run in another process. */
export function registerInternal(parent: HttpServer, client: WorkspacesClient): void {
  parent.register(async (plain) => {
    const scope = plain.withTypeProvider<TypeBoxTypeProvider>();
    scope.post(
      '/internal/workspaces/access',
      { config, schema: { body: Type.Object({ actor: Actor, workspace: text(255) }) } },
      async ({ body }) => client.accessOf(known(body.actor), body.workspace),
    );
    scope.post(
      '/internal/workspaces/of',
      { config, schema: { body: Type.Object({ actor: Actor }) } },
      async ({ body }) => ({ items: await client.workspacesOf(known(body.actor)) }),
    );
  });
}

/** Nothing but what decides, so that what else is sent makes no difference. */
const known = (actor: WorkspaceActor): WorkspaceActor => actorOf(actor);
