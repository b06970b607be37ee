import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createHttpServer, type HttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createDiscovery } from './discovery.ts';

const environment = {
  publicUrl: 'http://localhost:8080',
  issuerUrl: 'http://localhost:8080/auth/realms/haic',
  version: '0.1.0',
};

suite('Discovery', () => {
  let server: HttpServer;
  let base: string;
  before(async () => {
    server = createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: () => Promise.reject(new Error('discovery must not ask for a token')),
    });
    createDiscovery({
      ...environment,
      services: ['drive', 'secure-store', 'mlops-api'].map((id) => ({
        id,
        displayName: id,
        uri: `http://localhost:8080/${id}`,
        ...(id === 'drive' ? { pythonClient: 'h2o-drive==5.0' } : {}),
      })),
    }).register(server);
    base = await server.listen({ port: 0, host: '127.0.0.1' });
  });
  after(() => server.close());

  const get = async (path: string) => {
    const response = await fetch(`${base}/.ai.h2o.cloud.discovery/v1/${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('the environment has the keys that the official client requires', async () => {
    assert.deepEqual((await get('environment')).body, {
      environment: {
        h2oCloudEnvironment: environment.publicUrl,
        issuerUrl: environment.issuerUrl,
        h2oCloudPlatformOauth2Scope: '',
        h2oCloudVersion: '0.1.0',
      },
    });
  });

  test('the last page has no nextPageToken, not even an empty one', async () => {
    for (const collection of ['services', 'clients', 'links', 'components']) {
      const { status, body } = await get(collection);
      assert.equal(status, 200);
      assert.deepEqual(Object.keys(body), [collection]);
    }
  });

  test('records are named by their collection and have only keys with values', async () => {
    const { body } = await get('services');
    assert.deepEqual(body.services, [
      {
        name: 'services/drive',
        displayName: 'drive',
        uri: 'http://localhost:8080/drive',
        pythonClient: 'h2o-drive==5.0',
      },
      {
        name: 'services/secure-store',
        displayName: 'secure-store',
        uri: 'http://localhost:8080/secure-store',
      },
      { name: 'services/mlops-api', displayName: 'mlops-api', uri: 'http://localhost:8080/mlops-api' },
    ]);
    assert.deepEqual((await get('clients')).body.clients, [
      { name: 'clients/platform', displayName: 'Platform', oauth2ClientId: 'haic-platform' },
      { name: 'clients/cli', displayName: 'Command line', oauth2ClientId: 'haic-cli' },
    ]);
    assert.deepEqual((await get('components')).body.components, [
      { name: 'components/haic', displayName: 'Haic', version: '0.1.0' },
    ]);
  });

  test('records have every key that was given, and each collection one form', async () => {
    const known = createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: () => Promise.reject(),
    });
    const uri = 'http://localhost:8080/x';
    createDiscovery({
      ...environment,
      services: [{ id: 'x', displayName: 'X', uri, version: '1', oauth2Scope: 'x', pythonClient: 'x==1' }],
      clients: [{ id: 'platform', displayName: 'Own', oauth2ClientId: 'own' }],
      links: [
        { id: 'docs', uri, text: 'Read' },
        { id: 'plain', uri },
      ],
      components: [
        { id: 'c', displayName: 'C', version: '2', description: 'About', documentationUri: `${uri}/docs` },
      ],
    }).register(known);
    const list = async (collection: string) =>
      (await known.inject({ url: `/.ai.h2o.cloud.discovery/v1/${collection}` })).json()[collection];
    assert.deepEqual(await list('services'), [
      {
        ...{ name: 'services/x', displayName: 'X', uri, version: '1' },
        ...{ oauth2Scope: 'x', pythonClient: 'x==1' },
      },
    ]);
    assert.deepEqual(await list('clients'), [
      { name: 'clients/platform', displayName: 'Own', oauth2ClientId: 'own' },
    ]);
    assert.deepEqual(await list('links'), [
      { name: 'links/docs', uri, text: 'Read' },
      { name: 'links/plain', uri },
    ]);
    assert.deepEqual(await list('components'), [
      {
        ...{ name: 'components/c', displayName: 'C', version: '2' },
        ...{ description: 'About', documentationUri: `${uri}/docs` },
      },
    ]);
    await known.close();
  });

  test('pages of any size add up to the whole list', async () => {
    const seen: unknown[] = [];
    let token: unknown;
    do {
      const { body } = await get(`services?pageSize=2${token === undefined ? '' : `&pageToken=${token}`}`);
      assert.ok(Array.isArray(body.services) && body.services.length <= 2);
      seen.push(...body.services);
      token = body.nextPageToken;
    } while (token !== undefined);
    assert.equal(seen.length, 3);
  });

  test('nonsense as page token or size is the asker’s mistake', async () => {
    for (const query of ['pageToken=..%2F..', 'pageToken=LTE', 'pageSize=-1', 'pageSize=x', 'pageSize=1e9'])
      assert.equal((await get(`services?${query}`)).status, 400, query);
  });

  test('/version answers without a token', async () => {
    const response = await fetch(`${base}/version`);
    assert.deepEqual(await response.json(), { version: '0.1.0' });
  });

  test('a catalogue that would break clients is refused with all its mistakes', () => {
    assert.throws(
      () =>
        createDiscovery({
          ...environment,
          publicUrl: 'http://localhost:8080/',
          services: [
            { id: 'Drive', displayName: 'x', uri: '/drive' },
            { id: 'a', displayName: 'x', uri: 'http://localhost/a' },
            { id: 'a', displayName: 'x', uri: 'http://localhost/a/' },
          ],
          issuerUrl: 'http://localhost/auth/',
        }),
      /publicUrl.*slash.*issuerUrl.*slash.*not an absolute URL.*service a.*slash.*"Drive" is no id.*"a" occurs twice/,
    );
  });
});
