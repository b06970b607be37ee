import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { PartyKind } from '@haic/kit/auth/principal.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { SignInStandingClient } from '../client.ts';

const text = Type.String({ minLength: 1, maxLength: 255 });
const Acting = Type.Object({
  subject: text,
  partyKind: Type.Unsafe<PartyKind>(Type.String({ maxLength: 20 })),
  party: text,
  instanceId: Type.Optional(text),
  signIn: Type.Optional(text),
});
const config = { deed: 'ask about access', unaudited: 'a question of a service' } as const;

/** What Drive asks about those for whom it gave out keys, again and again. */
export function registerStanding(parent: HttpServer, client: SignInStandingClient): void {
  parent.register(async (plain) => {
    const scope = plain.withTypeProvider<TypeBoxTypeProvider>();
    scope.post(
      '/internal/identity/may-still-act',
      { config, schema: { body: Acting } },
      async ({ body: { instanceId, signIn, ...acting } }) => ({
        may: await client.mayStillAct({ ...acting, instanceId, signIn }),
      }),
    );
  });
}
