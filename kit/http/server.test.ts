import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Type } from 'typebox';
import type { Principal } from '../auth/principal.ts';
import { conflict, unauthenticated } from '../errors.ts';
import { createLogger } from '../logging.ts';
import { createHttpServer, principalOf } from './server.ts';

const ada = { username: 'ada' } as Principal;

describe('the HTTP server of services', () => {
  const server = createHttpServer({
    logger: createLogger('test', 'silent'),
    verifyToken: async (token) => {
      if (token !== 'good') throw unauthenticated();
      return ada;
    },
  });
  before(() => {
    server.get('/who', (request) => ({ username: principalOf(request).username }));
    server.get('/open', { config: { public: 'for the test' } }, () => ({ fine: true }));
    server.post('/things', { schema: { body: Type.Object({ size: Type.Integer() }) } }, () => {
      throw conflict('taken', 'That is taken. Choose another.', { details: { name: 'x' } });
    });
    server.get('/broken', () => {
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

  it('answers an unknown address with a clear 404', async () => {
    const answer = await server.inject({ url: '/nowhere?token=x', headers: { authorization } });
    assert.equal(answer.statusCode, 404);
    assert.doesNotMatch(answer.body, /token=x/);
  });
});
