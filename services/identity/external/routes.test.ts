import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Principal, partyKindOf } from '@haic/kit/auth/principal.ts';
import { createHttpServer, type HttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { registerLeftBehind } from './left-behind-route.ts';
import { registerRouterRoutes } from './router-routes.ts';

/** A token is the name of its client here; that real ones are verified is kit's test. */
const principalOf = (party: string): Principal => ({
  subject: 'somebody',
  username: 'somebody',
  name: undefined,
  email: undefined,
  roles: ['admin', 'user'],
  groups: [],
  party,
  partyKind: partyKindOf(party) ?? 'app',
  instanceId: undefined,
  expiresAt: Date.now() / 1000 + 300,
  token: party,
});

let server: HttpServer;
before(async () => {
  server = createHttpServer({
    logger: createLogger('test', 'silent'),
    verifyToken: async (token) => principalOf(token),
  });
  registerRouterRoutes(server, {
    grantNeeded: async () => undefined,
    keepGrant: async () => undefined,
    activeAmong: async (subjects) => subjects,
  });
  registerLeftBehind(server, { leftBehind: async () => [] });
  await server.ready();
});
after(() => server.close());

test('20 what the router and the operator ask about people and clients is told to nobody else, administrators included', async () => {
  const callback = { url: 'http://localhost/?code=c', state: 's', nonce: 'n', verifier: 'v' };
  const routes = [
    ['POST', '/internal/identity/app-grants/i/needed', { subject: 'ada' }, 'haic-service-router', 200],
    ['POST', '/internal/identity/app-grants/i', { subject: 'ada', callback }, 'haic-service-router', 204],
    ['POST', '/internal/identity/active-among', { subjects: ['ada'] }, 'haic-service-router', 200],
    ['GET', '/internal/identity/clients-left-behind', undefined, 'haic-service-operator', 200],
  ] as const;
  const parties = [
    ...['haic-portal', 'haic-platform', 'haic-cli', 'haic-app-i', 'haic-sa-ci'],
    ...['haic-service-router', 'haic-service-operator', 'haic-service-core'],
  ];
  for (const [method, url, payload, only, status] of routes) {
    const ask = async (headers: Record<string, string>) =>
      (await server.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) }))
        .statusCode;
    assert.equal(await ask({}), 401, url);
    for (const party of parties)
      assert.equal(
        await ask({ authorization: `Bearer ${party}` }),
        party === only ? status : 403,
        `${party} at ${url}`,
      );
  }
});
