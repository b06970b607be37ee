import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { ownIssuerTimes } from '@haic/kit/auth/key-set.ts';
import { createTokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { HaicError } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createIssuer } from './issuer.ts';

const issuer = 'http://localhost:8080/auth/realms/haic';
const endpoint = (name: string) => `${issuer}/protocol/openid-connect/${name}`;
const keys = await generateKeyPair('RS256', { extractable: true });
const foreignKeys = await generateKeyPair('RS256', { extractable: true });

interface Lies {
  readonly metadata?: Record<string, unknown>;
  readonly id?: JWTPayload;
  readonly access?: JWTPayload;
  /** Replaces the whole ID token. */
  readonly idToken?: (claims: JWTPayload) => Promise<string> | string;
  readonly accessKey?: CryptoKey;
  /** Of the answer of the token endpoint, and of the address that the browser brings. */
  readonly answer?: Record<string, unknown>;
  readonly callback?: Record<string, string | undefined>;
}

const sign = (claims: JWTPayload, key: CryptoKey = keys.privateKey, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const inFiveMinutes = () => Math.floor(Date.now() / 1000) + 300;

/** A client of a provider that is honest but for the lies. */
function clientOf(lies: Lies, nonceOf: () => string | undefined) {
  const answer = (body: unknown) =>
    new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
  const provider: Fetch = async (url) => {
    if (url.endsWith('/.well-known/openid-configuration')) {
      return answer({
        issuer,
        authorization_endpoint: endpoint('auth'),
        token_endpoint: endpoint('token'),
        jwks_uri: endpoint('certs'),
        ...lies.metadata,
      });
    }
    if (url === endpoint('certs')) {
      return answer({
        keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }],
      });
    }
    const common = { iss: issuer, sub: 'ada', iat: inFiveMinutes() - 300, exp: inFiveMinutes() };
    const nonce = nonceOf();
    const id = { ...common, aud: 'haic-portal', ...(nonce === undefined ? {} : { nonce }), ...lies.id };
    const access = { ...common, aud: 'haic', azp: 'haic-portal', ...lies.access };
    return answer({
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await (lies.idToken ?? sign)(id),
      access_token: await sign(access, lies.accessKey),
      ...lies.answer,
    });
  };
  return createIssuer({
    issuer,
    publicUrl: 'http://localhost:8080',
    portalClient: { id: 'haic-portal', secret: 'x' },
    serviceClient: { id: 'haic-service-router', secret: 'x' },
    verifyToken: createTokenVerifier({
      issuer,
      audience: 'haic',
      jwksUrl: endpoint('certs'),
      fetch: provider,
    }),
    fetch: provider,
    keyTimes: ownIssuerTimes,
  });
}

/** A sign-in by code; resolves to who would be signed in. */
async function signIn(lies: Lies = {}) {
  let nonce = '';
  const client = clientOf(lies, () => nonce);
  const challenge = client.newChallenge();
  nonce = challenge.nonce;
  const callback = new URL(`http://localhost:8080/oauth2/callback?code=c&state=${challenge.state}`);
  for (const [name, value] of Object.entries(lies.callback ?? {}))
    if (value === undefined) callback.searchParams.delete(name);
    else callback.searchParams.set(name, value);
  return (await client.redeem(callback, challenge)).person.subject;
}

describe('a provider that lies signs nobody in', () => {
  const refused = async (lies: Lies) =>
    assert.rejects(signIn(lies), (error) => error instanceof HaicError && error.status >= 400);

  test('an honest one does', async () => {
    assert.equal(await signIn(), 'ada');
  });

  test('about who it is: in its metadata, in the ID token, in the access token', async () => {
    await refused({ metadata: { issuer: 'http://localhost:8080/auth/realms/other' } });
    await refused({ id: { iss: 'https://evil.example' } });
    await refused({ access: { iss: 'https://evil.example' } });
  });

  test('about whom the tokens are for', async () => {
    await refused({ id: { aud: 'another-client' } });
    await refused({ id: { aud: ['haic-portal', 'another-client'], azp: 'another-client' } });
    await refused({ access: { aud: 'account' } });
    await refused({ access: { azp: 'haic-platform' } });
  });

  test('about which sign-in they belong to', async () => {
    await refused({ id: { nonce: 'of another sign-in' } });
    await refused({ id: { nonce: undefined } });
  });

  test('about the person: two tokens, two subjects', async () => {
    await refused({ access: { sub: 'mallory' } });
    await refused({ id: { sub: 'mallory' } });
  });

  test('about where it comes from: the answer of another provider, or one that was refused (RFC 9207)', async () => {
    await refused({ callback: { iss: 'https://evil.example' } });
    await refused({ callback: { error: 'access_denied' } });
    await refused({ callback: { state: 'of another sign-in' } });
    await refused({ callback: { state: undefined } });
    await refused({ callback: { code: undefined } });
  });

  test('about what it promised: no ID token, no access token, another kind of token', async () => {
    await refused({ answer: { id_token: undefined } });
    await refused({ answer: { access_token: undefined } });
    await refused({ answer: { access_token: 'opaque' } });
    await refused({ answer: { token_type: 'mac' } });
  });

  test('about time', async () => {
    await refused({ id: { exp: inFiveMinutes() - 900 } });
    await refused({ access: { exp: inFiveMinutes() - 900 } });
  });

  test('about its keys: none, a foreign one, an unknown one, its public one as a secret', async () => {
    await refused({ idToken: (claims) => `${base64({ alg: 'none' })}.${base64(claims)}.` });
    await refused({ idToken: (claims) => sign(claims, foreignKeys.privateKey) });
    await refused({ idToken: (claims) => sign(claims, keys.privateKey, { kid: 'unknown' }) });
    await refused({
      idToken: async (claims) => {
        const text = `${base64({ alg: 'HS256', kid: 'one' })}.${base64(claims)}`;
        const secret = await exportSPKI(keys.publicKey);
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      },
    });
    await refused({ accessKey: foreignKeys.privateKey });
  });
});

/** Names of the OpenID Foundation's conformance suite; the rule is OpenID Connect Core §12.2. */
describe('a provider that lies when a token is refreshed', () => {
  const refresh = async (lies: Lies = {}) => clientOf(lies, () => undefined).refresh('a refresh token');
  const refused = (lies: Lies) =>
    assert.rejects(refresh(lies), (error) => error instanceof HaicError && error.status === 400);

  test('an honest one is believed', async () => {
    const granted = await refresh();
    assert.equal(granted !== 'refused' && granted.person.subject, 'ada');
  });
  test('oidcc-client-test-refresh-token-invalid-issuer', () =>
    refused({ id: { iss: 'https://evil.example' } }));
  // That it is the session's own person is for who keeps the session: see fresh-tokens.ts.
  test('oidcc-client-test-refresh-token-invalid-sub', () => refused({ id: { sub: 'mallory' } }));
  test('oidcc-client-test-refresh-token-invalid-aud', () => refused({ id: { aud: 'another-client' } }));
  test('oidcc-client-test-refresh-token-invalid-azp', async () => {
    await refused({ id: { aud: ['haic-portal', 'another'], azp: 'another' } });
    await refused({ access: { azp: 'haic-platform' } });
  });
  test('an ID token by another key', () =>
    refused({ idToken: (claims) => sign(claims, foreignKeys.privateKey) }));
});
