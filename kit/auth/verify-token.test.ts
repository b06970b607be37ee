import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { HaicError } from '../errors.ts';
import { createTokenVerifier, type TokenVerifier } from './verify-token.ts';

const issuer = 'http://localhost:8080/auth/realms/haic';
const keys = await generateKeyPair('RS256', { extractable: true });
const otherKeys = await generateKeyPair('RS256', { extractable: true });

const claims: JWTPayload = {
  azp: 'haic-platform',
  preferred_username: 'ada',
  realm_access: { roles: ['user', 7] },
  groups: ['science'],
};

const token = (
  change: {
    claims?: JWTPayload;
    audience?: string;
    issuer?: string;
    expires?: string;
    key?: CryptoKey;
    header?: object;
  } = {},
) =>
  new SignJWT({ ...claims, ...change.claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one', ...change.header })
    .setSubject('u1')
    .setIssuer(change.issuer ?? issuer)
    .setAudience(change.audience ?? 'haic')
    .setIssuedAt()
    .setExpirationTime(change.expires ?? '5m')
    .sign(change.key ?? keys.privateKey);

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('verifying access tokens', () => {
  let server: Server;
  let verify: TokenVerifier;
  let jwksUrl: string;

  before(async () => {
    const jwks = JSON.stringify({
      keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }],
    });
    server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(jwks));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`;
    verify = createTokenVerifier({ issuer, audience: 'haic', jwksUrl });
  });
  after(() => server.close());

  const refused = async (candidate: string) =>
    assert.rejects(verify(candidate), (error) => error instanceof HaicError && error.status === 401);

  it('reads who asks and by which client', async () => {
    const principal = await verify(await token());
    assert.equal(principal.username, 'ada');
    assert.deepEqual(principal.roles, ['user']);
    assert.deepEqual(principal.groups, ['science']);
    assert.equal(principal.partyKind, 'platform');
  });

  it('knows which instance an app token belongs to', async () => {
    const principal = await verify(await token({ claims: { azp: 'haic-app-42' } }));
    assert.equal(principal.partyKind, 'app');
    assert.equal(principal.instanceId, '42');
  });

  it('takes client_id where there is no azp', async () => {
    const principal = await verify(await token({ claims: { azp: undefined, client_id: 'haic-cli' } }));
    assert.equal(principal.partyKind, 'cli');
  });

  it('refuses another issuer, another audience, an expired token and an unknown party', async () => {
    await refused(await token({ issuer: 'http://localhost:8080/auth/realms/other' }));
    await refused(await token({ audience: 'account' }));
    await refused(await token({ expires: '-1m' }));
    await refused(await token({ claims: { azp: 'somebody-else' } }));
    await refused(await token({ claims: { azp: undefined } }));
  });

  it("refuses another key, also under our key's id", async () => {
    await refused(await token({ key: otherKeys.privateKey }));
    await refused(await token({ header: { kid: 'two' } }));
  });

  it('refuses alg none, and an HMAC keyed with the public key', async () => {
    const body = { ...claims, sub: 'u1', iss: issuer, aud: 'haic', exp: Math.floor(Date.now() / 1000) + 300 };
    await refused(`${base64({ alg: 'none' })}.${base64(body)}.`);
    const unsigned = `${base64({ alg: 'HS256', kid: 'one' })}.${base64(body)}`;
    const signature = createHmac('sha256', await exportSPKI(keys.publicKey))
      .update(unsigned)
      .digest('base64url');
    await refused(`${unsigned}.${signature}`);
  });

  it('never follows a key address that the token names', async () => {
    let asked = false;
    const lure = createServer((_, response) => {
      asked = true;
      response.end('{}');
    });
    await new Promise<void>((resolve) => lure.listen(0, '127.0.0.1', resolve));
    const jku = `http://127.0.0.1:${(lure.address() as AddressInfo).port}/`;
    await refused(await token({ key: otherKeys.privateKey, header: { jku, x5u: jku } }));
    lure.close();
    assert.equal(asked, false);
  });

  it('allows for clocks that differ by seconds, and no more', async () => {
    const now = Math.floor(Date.now() / 1000);
    const at = (times: JWTPayload) =>
      new SignJWT({ ...claims, sub: 'u1', iss: issuer, aud: 'haic', ...times })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(keys.privateKey);
    assert.equal((await verify(await at({ exp: now - 3 }))).username, 'ada');
    assert.equal((await verify(await at({ exp: now + 300, nbf: now + 3 }))).username, 'ada');
    await refused(await at({ exp: now - 30 }));
    await refused(await at({ exp: now + 300, nbf: now + 30 }));
    await refused(await at({}));
  });

  it('takes no ID token, no key that comes with the token, and no party that is only like one', async () => {
    await refused(await token({ audience: 'haic-portal' }));
    const forged = await generateKeyPair('RS256', { extractable: true });
    // A key that the token brings along is no key of ours.
    await refused(
      await token({ key: forged.privateKey, header: { jwk: await exportJWK(forged.publicKey) } }),
    );
    await refused(await token({ key: forged.privateKey, header: { kid: 'one', x5c: ['MIIB'] } }));
    await refused(await token({ claims: { azp: ['haic-platform'] } }));
    await refused(await token({ claims: { azp: 'haic-platform ' } }));
  });

  it('says that the issuer is away rather than that the token is bad', async () => {
    const unreachable = createTokenVerifier({
      issuer,
      audience: 'haic',
      jwksUrl: 'http://127.0.0.1:1/certs',
    });
    await assert.rejects(
      unreachable(await token()),
      (error) => error instanceof HaicError && error.status === 503,
    );
  });

  it('finds the keys by the discovery document of the issuer, and by no other', async () => {
    let named = '';
    const issuerServer = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(
        request.url === '/.well-known/openid-configuration'
          ? JSON.stringify({ issuer: named, jwks_uri: jwksUrl })
          : '{}',
      );
    });
    await new Promise<void>((resolve) => issuerServer.listen(0, '127.0.0.1', resolve));
    const own = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}`;
    const discovering = createTokenVerifier({ issuer: own, audience: 'haic' });
    named = issuer;
    await assert.rejects(
      discovering(await token({ issuer: own })),
      (error) => error instanceof HaicError && error.status === 503,
    );
    named = own;
    assert.equal((await discovering(await token({ issuer: own }))).subject, 'u1');
    issuerServer.close();
  });
});
