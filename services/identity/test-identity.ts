import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createTokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { createMemoryIdempotencyStore } from '@haic/kit/http/idempotency/memory.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import * as oidc from 'openid-client';
import { createIdentity, type IdentityOptions, identityMigrations } from './identity.ts';
import { TestBrowser } from './testing.ts';

export const portalSecret = 'portal-secret-of-this-test-0123456789';
export const operatorSecret = 'operator-secret-of-this-test-0123456789';
export const routerSecret = 'router-secret-of-this-test-0123456789';

export type TestIdentity = Awaited<ReturnType<typeof startTestIdentity>>;

/** A whole identity service on real HTTP and PostgreSQL, with a stand-in for the portal's back-channel endpoint. */
export async function startTestIdentity(request: Partial<IdentityOptions> & { port?: number } = {}) {
  const { port: wanted, ...changes } = request;
  const { database, url: databaseUrl, stop: stopDatabase } = await startTestDatabase();
  const port = wanted ?? (await freePort());
  const publicUrl = changes.publicUrl ?? `http://localhost:${port}`;
  const issuer = `${publicUrl}/auth/realms/haic`;
  const logger = createLogger('test', 'silent');
  await migrate(database, identityMigrations);
  const masterKey = changes.masterKey ?? randomBytes(32);
  const options: IdentityOptions = {
    database,
    publicUrl,
    issuer,
    masterKey,
    portalClientSecret: portalSecret,
    serviceClients: {
      [wellKnownClients.operator]: operatorSecret,
      [wellKnownClients.router]: routerSecret,
    },
    logger,
    ...changes,
  };
  const identity = await createIdentity(options);
  const verifyToken = createTokenVerifier({
    issuer,
    audience: 'haic',
    jwksUrl: `${issuer}/protocol/openid-connect/certs`,
  });
  const server = createHttpServer({ logger, verifyToken, idempotency: createMemoryIdempotencyStore() });
  identity.register(server);

  const logoutTokens: string[] = [];
  server.register(async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    scope.post('/oauth2/backchannel-logout', { config: { public: 'test' } }, async (request) => {
      logoutTokens.push((request.body as URLSearchParams).get('logout_token') ?? '');
      return '';
    });
  });
  await server.listen({ port, host: 'localhost' });

  const clientOf = (clientId: string, secret?: string) =>
    oidc.discovery(
      new URL(issuer),
      clientId,
      undefined,
      secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret),
      { execute: [oidc.allowInsecureRequests] },
    );

  return {
    identity,
    options,
    database,
    databaseUrl,
    server,
    publicUrl,
    issuer,
    verifyToken,
    /** Where the server listens, also when the public URL says something else. */
    listenUrl: `http://localhost:${port}`,
    logoutTokens,
    clientOf,
    /** Signs a person in at a client, with the page's form; ends with the client's tokens. */
    signIn: async (request: {
      clientId: string;
      secret?: string;
      redirectUri: string;
      username: string;
      password: string;
      browser?: TestBrowser;
      pkce?: boolean;
    }) => {
      const config = await clientOf(request.clientId, request.secret);
      const browser = request.browser ?? new TestBrowser();
      const verifier = oidc.randomPKCECodeVerifier();
      const state = oidc.randomState();
      const nonce = oidc.randomNonce();
      const parameters: Record<string, string> = {
        redirect_uri: request.redirectUri,
        scope: 'openid profile',
        state,
        nonce,
      };
      const pkce = request.pkce !== false;
      if (pkce) {
        parameters.code_challenge = await oidc.calculatePKCECodeChallenge(verifier);
        parameters.code_challenge_method = 'S256';
      }
      const authorizationUrl = oidc.buildAuthorizationUrl(config, parameters);
      const callback = await browser.signIn(authorizationUrl.href, request, request.redirectUri);
      const tokens = await oidc.authorizationCodeGrant(config, callback, {
        expectedState: state,
        expectedNonce: nonce,
        ...(pkce ? { pkceCodeVerifier: verifier } : {}),
      });
      return { config, browser, tokens, callback, authorizationUrl };
    },
    operatorToken: async () => {
      const config = await clientOf(wellKnownClients.operator, operatorSecret);
      return (await oidc.clientCredentialsGrant(config)).access_token;
    },
    stop: async () => {
      await identity.stop();
      await server.close();
      await stopDatabase();
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
