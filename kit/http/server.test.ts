import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Type } from 'typebox';
import type { Principal } from '../auth/principal.ts';
import { conflict, unauthenticated } from '../errors.ts';
import { createLogger } from '../logging.ts';
import { createHttpServer, principalOf } from './server.ts';

const ada = { username: 'ada', party: 'haic-portal', partyKind: 'portal' } as Principal;
const config = { deed: 'see apps' } as const;

describe('the HTTP server of services', () => {
  const server = createHttpServer({
    logger: createLogger('test', 'silent'),
    verifyToken: async (token) => {
      if (token !== 'good') throw unauthenticated();
      return ada;
    },
  });
  before(() => {
    server.get('/who', { config }, (request) => ({ username: principalOf(request).username }));
    server.get('/open', { config: { public: 'for the test' } }, () => ({ fine: true }));
    server.post('/things', { config, schema: { body: Type.Object({ size: Type.Integer() }) } }, () => {
      throw conflict('taken', 'That is taken. Choose another.', { details: { name: 'x' } });
    });
    const querystring = Type.Object({
      size: Type.Optional(Type.Integer()),
      deep: Type.Optional(Type.Boolean()),
      text: Type.Optional(Type.String()),
    });
    server.get('/query/:id', { config, schema: { querystring } }, (request) => request.query);
    const fine = Type.Object({ fine: Type.Boolean() }, { additionalProperties: false });
    // As a presenter that the compiler did not check.
    const response = { 200: Type.Unsafe<unknown>(fine) };
    const described = { operationId: 'getDescribed', response };
    server.get('/described/:what', { config, schema: described }, async (request, reply) => {
      const { what } = request.params as { what: string };
      if (what === 'conflict') throw conflict('taken', 'That is taken.');
      return reply.send(what === 'more' ? { fine: true, more: 1 } : { fine: what === 'fine' || what });
    });
    server.get('/broken', { config }, () => {
      throw new Error('password=hunter2');
    });
  });
  after(() => server.close());

  const authorization = 'Bearer good';

  it('authenticates every route that does not say why it is public', async () => {
    const refused = await server.inject({ url: '/who' });
    assert.equal(refused.statusCode, 401);
    assert.equal(refused.headers['www-authenticate'], 'Bearer');
    assert.equal(
      (await server.inject({ url: '/who', headers: { authorization: 'Bearer bad' } })).statusCode,
      401,
    );
    assert.deepEqual((await server.inject({ url: '/who', headers: { authorization } })).json(), {
      username: 'ada',
    });
    assert.equal((await server.inject({ url: '/open' })).statusCode, 200);
  });

  it('answers errors as problem JSON with a stable code', async () => {
    const answer = await server.inject({
      method: 'POST',
      url: '/things',
      headers: { authorization },
      payload: { size: 1 },
    });
    assert.equal(answer.statusCode, 409);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    const { code, detail, details } = answer.json();
    assert.deepEqual(
      { code, detail, details },
      { code: 'taken', detail: 'That is taken. Choose another.', details: { name: 'x' } },
    );
  });

  it('says what is wrong with a body, and nothing of what broke inside', async () => {
    const wrong = await server.inject({
      method: 'POST',
      url: '/things',
      headers: { authorization },
      payload: { size: 'big' },
    });
    assert.equal(wrong.statusCode, 400);
    assert.match(wrong.json().detail, /size/);
    const broken = await server.inject({ url: '/broken', headers: { authorization } });
    assert.equal(broken.statusCode, 500);
    assert.doesNotMatch(broken.body, /hunter2/);
  });

  it('reads numbers and truth from an address only where they are written as such', async () => {
    const ask = (query: string) => server.inject({ url: `/query/1?${query}`, headers: { authorization } });
    const good = await ask('size=-12&deep=true&text=1');
    assert.deepEqual(good.json(), { size: -12, deep: true, text: '1' });
    for (const query of [
      'size=true',
      'size=1e3',
      'size=1.5',
      'size=',
      'size=1&size=2',
      'deep=1',
      'deep=TRUE',
      'text=a&text=b',
    ])
      assert.equal((await ask(query)).statusCode, 400, query);
  });

  it('says which methods an address knows', async () => {
    for (const method of ['PUT', 'OPTIONS', 'TRACE'] as const) {
      const answer = await server.inject({
        method: method as 'PUT',
        url: '/query/1?x',
        headers: { authorization },
      });
      assert.deepEqual(
        [answer.statusCode, answer.headers.allow, answer.json().code],
        [405, 'GET, HEAD', 'method_not_allowed'],
      );
    }
  });

  it('fails in tests when an answer is not what its schema describes, and drops nothing silently elsewhere', async () => {
    const ask = async (what: string) => {
      const answer = await server.inject({ url: `/described/${what}`, headers: { authorization } });
      return `${answer.statusCode} ${answer.json().code ?? ''}`.trim();
    };
    assert.equal(await ask('fine'), '200');
    for (const what of ['more', 'other', 'conflict'])
      assert.equal(await ask(what), '500 undescribed_answer', what);
    const installed = createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: async () => ada,
      checkAnswers: false,
    });
    installed.get('/', { config, schema: { response: { 200: Type.Object({}) } } }, () => ({ more: 1 }));
    assert.deepEqual((await installed.inject({ url: '/', headers: { authorization } })).json(), { more: 1 });
  });

  it('answers an unknown address with a clear 404', async () => {
    const answer = await server.inject({ url: '/nowhere?token=x', headers: { authorization } });
    assert.equal(answer.statusCode, 404);
    assert.doesNotMatch(answer.body, /token=x/);
  });
});

describe('a server whose process is ending', () => {
  const asked = (server: ReturnType<typeof createHttpServer>) => {
    server.get('/open', { config: { public: 'for the test' } }, () => ({ fine: true }));
    server.post('/apply', { config: { public: 'for the test', appliesSettings: true } }, () => ({
      fine: true,
    }));
  };
  const quiet = createLogger('test', 'silent');
  const verifyToken = async () => ada;

  it('leaves what applies its settings to the next one, and keeps no connection', async () => {
    let isEnding = false;
    const server = createHttpServer({ logger: quiet, verifyToken, isEnding: () => isEnding });
    asked(server);
    const before = await server.inject({ method: 'POST', url: '/apply' });
    assert.deepEqual([before.statusCode, before.headers.connection], [200, 'keep-alive']);
    isEnding = true;
    const read = await server.inject({ url: '/open' });
    assert.deepEqual([read.statusCode, read.headers.connection], [200, 'close']);
    const refused = await server.inject({ method: 'POST', url: '/apply' });
    assert.deepEqual(
      [refused.statusCode, refused.json().code, refused.headers['retry-after'], refused.headers.connection],
      [503, 'service_unavailable', '2', 'close'],
    );
    await server.close();
  });
});
