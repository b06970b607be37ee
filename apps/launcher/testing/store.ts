import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** The App Store and the issuer as far as a launcher sees them; checks signatures as the brief of the API says. */
export interface TestStore {
  readonly url: string;
  readonly issuer: string;
  readonly key: string;
  bundle: Buffer;
  bundleStatus: number;
  token: { status: number; body: unknown };
  secrets: { status: number; body: unknown };
  issuerUp: boolean;
  readonly calls: string[];
  /** Holds back bundles until the returned function is called. */
  hold(): () => void;
  close(): Promise<void>;
}

export async function startTestStore(): Promise<TestStore> {
  const key = randomBytes(32);
  let held: Promise<void> = Promise.resolve();
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '/';
    if (url === '/auth/realms/haic/.well-known/openid-configuration') return describeIssuer(store, response);
    if (!isSigned(request, key))
      return json(response, 401, { code: 'unauthenticated', detail: 'not signed' });
    store.calls.push(`${request.method} ${url}`);
    if (request.method === 'GET' && url.endsWith('/bundle')) {
      await held;
      if (store.bundleStatus !== 200)
        return json(response, store.bundleStatus, { code: 'no', detail: 'the store says no' });
      response.writeHead(200, { 'content-type': 'application/zip' }).end(store.bundle);
      return;
    }
    if (request.method === 'POST' && url.endsWith('/token'))
      return json(response, store.token.status, store.token.body);
    if (request.method === 'POST' && url.endsWith('/secrets'))
      return json(response, store.secrets.status, store.secrets.body);
    return json(response, 404, { code: 'not_found', detail: 'nothing here' });
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const store: TestStore = {
    url,
    issuer: `${url}/auth/realms/haic`,
    key: key.toString('hex'),
    bundle: Buffer.alloc(0),
    bundleStatus: 200,
    token: { status: 403, body: { code: 'forbidden', detail: 'not private' } },
    secrets: { status: 403, body: { code: 'secret_unavailable', detail: 'there are none' } },
    issuerUp: true,
    calls: [],
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return store;
}

function isSigned(request: IncomingMessage, key: Buffer): boolean {
  const seconds = String(request.headers['x-haic-timestamp'] ?? '');
  const given = Buffer.from(String(request.headers['x-haic-signature'] ?? ''), 'hex');
  const path = (request.url ?? '').split('?')[0];
  const expected = createHmac('sha256', key).update(`${request.method}\n${path}\n${seconds}`).digest();
  const fresh = Math.abs(Date.now() / 1000 - Number(seconds)) <= 60;
  return fresh && given.length === expected.length && timingSafeEqual(given, expected);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function describeIssuer(store: TestStore, response: ServerResponse): void {
  if (!store.issuerUp) {
    json(response, 503, { error: 'starting' });
    return;
  }
  const base = `${store.issuer}/protocol/openid-connect`;
  json(response, 200, {
    issuer: store.issuer,
    authorization_endpoint: `${base}/auth`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/certs`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  });
}
