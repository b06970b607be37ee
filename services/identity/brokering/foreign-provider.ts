import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';

/** An OpenID provider of somebody else for tests: a real one, that can be made to lie. */
export interface ForeignProvider {
  readonly issuer: string;
  readonly signingKey: JWK;
  /** Who signs in there next; no page asks. */
  person: Record<string, unknown> & { sub: string };
  /** Changes what the token endpoint answers: the ID token, as it came, to another. */
  forge: ((idToken: string) => Promise<string> | string) | undefined;
  /** Changes the JSON of any other answer, by its path. */
  tamper: ((path: string, json: Record<string, unknown>) => void) | undefined;
  /** Of the access tokens that it gives from now on. */
  accessTokenSeconds: number;
  /** Every request, by path with query. */
  readonly requests: string[];
  /** Further keys that it publishes; the first signs. */
  publish(keys: readonly JWK[]): void;
  /** No longer answers, and again. */
  down: boolean;
  stop(): Promise<void>;
}

export const foreignClient = { id: 'haic-broker', secret: 'known to both sides 0123456789' };

export async function newSigningKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
}

const configurationOf = (
  foreign: () => ForeignProvider,
  key: JWK,
  redirectUris: string[],
): Configuration => ({
  clients: [
    {
      client_id: foreignClient.id,
      client_secret: foreignClient.secret,
      redirect_uris: redirectUris,
      post_logout_redirect_uris: redirectUris.map((uri) => `${uri}/logout_response`),
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  jwks: { keys: [key as NonNullable<Configuration['jwks']>['keys'][number]] },
  pkce: { required: () => true },
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username', 'groups'],
    email: ['email', 'email_verified'],
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: true },
    revocation: { enabled: true },
  },
  // As strict ones do: a refresh token is good once.
  rotateRefreshToken: true,
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => foreign().person }),
  cookies: { keys: ['of a test'] },
  ttl: {
    ...{ Session: 600, Interaction: 600, Grant: 600, RefreshToken: 600 },
    AccessToken: () => foreign().accessTokenSeconds,
  },
  loadExistingGrant: async (ctx) => {
    const { client, session, provider } = ctx.oidc;
    if (client === undefined || session?.accountId === undefined) return undefined;
    // Another grant would end what a sign-in of another tab has just been given.
    const grantId = session.grantIdFor(client.clientId);
    if (grantId !== undefined) return provider.Grant.find(grantId);
    const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
});

export async function startForeignProvider(redirectUris: string[]): Promise<ForeignProvider> {
  // Its adapter writes to memory; what it says at start about that is of no interest here.
  const signingKey = await newSigningKey('first');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // 127.0.0.1, because Haic is on localhost: cookies know no ports.
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let published: readonly JWK[] = [];
  const foreign: ForeignProvider = {
    issuer,
    signingKey,
    person: { sub: 'nobody' },
    forge: undefined,
    tamper: undefined,
    accessTokenSeconds: 3600,
    requests: [],
    publish: (keys) => {
      published = keys;
    },
    down: false,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const provider = new Provider(
    issuer,
    configurationOf(() => foreign, signingKey, redirectUris),
  );
  provider.use(async (ctx, next) => {
    await next();
    const json = ctx.body as Record<string, unknown> | undefined;
    if (typeof json !== 'object' || json === null) return;
    if (typeof json.id_token === 'string' && foreign.forge !== undefined)
      json.id_token = await foreign.forge(json.id_token);
    if (ctx.path === '/jwks')
      (json.keys as JWK[]).push(
        ...published.map(({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...key }) => key),
      );
    foreign.tamper?.(ctx.path, json);
  });
  server.on('request', (request, response) => {
    const url = request.url ?? '/';
    foreign.requests.push(url);
    if (foreign.down) return void request.socket.destroy();
    if (!url.startsWith('/interaction/')) return void provider.callback()(request, response);
    const login = { accountId: foreign.person.sub };
    provider
      .interactionFinished(request, response, { login, consent: {} })
      .catch(() => response.writeHead(500).end());
  });
  return foreign;
}
