import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createHttpServer } from '../http/server.ts';
import { createLogger } from '../logging.ts';
import { type Deed, deeds } from './party-policy.ts';
import { verifyToken } from './verify-token.ts';

const clients = [
  'haic-portal',
  'haic-platform',
  'haic-cli',
  'haic-app-1',
  'haic-sa-ci',
  'haic-service-core',
  'haic-service-router',
  'haic-service-operator',
] as const;

/**
 * Which kind of client may do what (design §6, security 4), written by hand and not made from the table that it tests. 200, or the code of the
 * refusal: a(pp_token_refused), s(ervice_token_refused), p(ortal_only), n(o sessions: service_account_refused), r(outer_only), o(perator_only),
 * i(nternal: services_only).
 */
// biome-ignore format: columns
const expected: Record<Deed, string> = {
  //                            portal platform cli app account core router operator
  'see apps':                   '200 200 200 200 200 s s s',
  'import apps':                '200 200 200 a   200 s s s',
  'change apps':                '200 200 200 a   200 s s s',
  'download apps':              '200 200 200 a   200 s s s',
  'run apps':                   '200 200 200 a   200 s s s',
  'see instances':              '200 200 200 200 200 s s s',
  'change instances':           '200 200 200 a   200 s s s',
  'read logs':                  '200 200 200 a   200 s s s',
  'see who one is':             '200 200 200 200 200 s s s',
  'see what is served':         '200 200 200 200 200 200 200 200',
  'see workspaces':             '200 200 200 200 200 s s s',
  'change workspaces':          '200 200 200 200 200 s s s',
  'administer workspaces':      '200 200 200 a   200 s s s',
  'administer the store':       '200 200 200 a   200 s s s',
  'administer people':          '200 200 200 a   200 s s s',
  'administer foreign resources': '200 200 200 a 200 s s s',
  'see and end own sign-ins':   '200 200 200 a   n   s s s',
  'make passwords and secrets': '200 p   p   a   p   s s s',
  'keep secrets for apps':      '200 200 200 a   200 s s s',
  'use secrets':                '200 200 200 200 200 s s s',
  'connect accounts':           '200 200 200 200 n   s s s',
  'log in at other providers':  '200 p   p   a   p   s s s',
  'administer OAuth clients':   '200 200 200 a   200 s s s',
  'use Drive':                  '200 200 200 200 200 s s s',
  'ask about access':           'i   i   i   i   i   200 200 200',
  'search events':              '200 200 200 a   200 s s s',
  'record events':              'i   i   i   i   i   200 200 200',
  'route':                      'r   r   r   r   r   r 200 r',
  'operate':                    'o   o   o   o   o   o o 200',
};

const codes: Record<string, string> = {
  a: 'app_token_refused',
  s: 'service_token_refused',
  p: 'portal_only',
  n: 'service_account_refused',
  r: 'router_only',
  o: 'operator_only',
  i: 'services_only',
};

describe('what each kind of client may do', async () => {
  const issuer = 'https://haic.example.com/auth/realms/haic';
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'key' }] });
  const make = () =>
    createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: (token) => verifyToken(token, keys, { issuer, audience: 'haic' }),
    });
  const tokenOf = (client: string) =>
    new SignJWT({ azp: client, realm_access: { roles: ['admin', 'user'] } })
      .setProtectedHeader({ alg: 'RS256', kid: 'key' })
      .setIssuer(issuer)
      .setAudience('haic')
      .setSubject('5f9d2c0e-0000-4000-8000-000000000001')
      .setExpirationTime('5m')
      .sign(privateKey);
  const server = make();
  before(() => {
    for (const [index, deed] of deeds.entries()) server.get(`/${index}`, { config: { deed } }, () => ({}));
  });
  after(() => server.close());

  it('is as written here for every deed and every kind, whatever roles the token has', async () => {
    const wrong: string[] = [];
    for (const [index, deed] of deeds.entries()) {
      for (const [column, client] of clients.entries()) {
        const answer = await server.inject({
          url: `/${index}`,
          headers: { authorization: `Bearer ${await tokenOf(client)}` },
        });
        const said = answer.statusCode === 200 ? '200' : `${answer.statusCode} ${answer.json().code}`;
        const cell = expected[deed].split(/ +/)[column] ?? '';
        const wanted = cell === '200' ? cell : `403 ${codes[cell]}`;
        if (said !== wanted) wrong.push(`${client} may ${deed}: ${said}, not ${wanted}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('refuses a client of any other name, and one that only looks like a service of the platform', async () => {
    for (const client of ['somebody', 'haic', 'haic-portal2', 'xhaic-sa-ci']) {
      const headers = { authorization: `Bearer ${await tokenOf(client)}` };
      assert.equal((await server.inject({ url: '/0', headers })).statusCode, 401, client);
    }
    const headers = { authorization: `Bearer ${await tokenOf('haic-service-router2')}` };
    const route = await server.inject({ url: `/${deeds.indexOf('route')}`, headers });
    assert.equal(route.json().code, 'router_only');
  });

  it('lets no route register that names no deed and says no reason to be public', () => {
    assert.throws(() => make().get('/forgotten', () => ({})), /GET \/forgotten .* deed/);
    assert.throws(() => make().post('/empty', { config: {} }, () => ({})), /POST \/empty/);
  });
});
