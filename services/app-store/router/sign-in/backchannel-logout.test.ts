import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { type CryptoKey, createLocalJWKSet, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { createBackchannelLogout } from './backchannel-logout.ts';

const issuerUrl = 'http://localhost:8080/auth/realms/haic';
const event = 'http://schemas.openid.net/event/backchannel-logout';
const keys = await generateKeyPair('RS256', { extractable: true });
const foreign = await generateKeyPair('RS256', { extractable: true });
const keySet = createLocalJWKSet({
  keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }],
});

/** A router whose sessions are only counted as they end; everything about the tokens is real. */
function router() {
  const ended: string[] = [];
  const used = new Set<string>();
  type Parts = Parameters<typeof createBackchannelLogout>[0];
  const sessions: Pick<Parts['sessions'], 'endByIssuerSid' | 'endBySubject' | 'endEverybody'> = {
    endEverybody: async () => void ended.push('everybody'),
    endByIssuerSid: async (sid) => void ended.push(`sid ${sid}`),
    endBySubject: async (subject) => void ended.push(`person ${subject}`),
  };
  const store: Pick<Parts['store'], 'useLogoutToken'> = {
    useLogoutToken: async (id) => !used.has(id) && used.add(id) !== undefined,
  };
  const issuer: Pick<Parts['issuer'], 'keys'> = { keys: async () => keySet };
  const backchannel = createBackchannelLogout({
    // The three verbs that are used; the rest of these parts has tests of its own.
    ...({ issuer, sessions, store } as Pick<Parts, 'issuer' | 'sessions' | 'store'>),
    issuerUrl,
    clientId: 'haic-portal',
  });
  return { ended, obey: backchannel.obey };
}

let serial = 0;
const token = (
  change: { claims?: Record<string, unknown>; header?: Record<string, unknown>; key?: CryptoKey } = {},
) => {
  serial += 1;
  const claims = {
    iss: issuerUrl,
    aud: 'haic-portal',
    iat: Math.floor(Date.now() / 1000),
    jti: String(serial),
    sub: 'ada',
    sid: 'one',
    events: { [event]: {} },
    ...change.claims,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'logout+jwt', ...change.header })
    .sign(change.key ?? keys.privateKey);
};

describe('a logout token', () => {
  test('ends the session that it names, or everything of the person', async () => {
    const { ended, obey } = router();
    await obey(await token());
    await obey(await token({ claims: { sid: undefined } }));
    assert.deepEqual(ended, ['sid one', 'person ada']);
  });

  test('of Haic’s own event ends everybody’s, and no other event does', async () => {
    const { ended, obey } = router();
    const of = (name: string) =>
      token({ claims: { events: { [name]: {} }, sub: undefined, sid: undefined } });
    await obey(await of('urn:haic:event:everybody-signed-out'));
    await assert.rejects(async () => obey(await of('urn:haic:event:everybody')), /no logout event/);
    await assert.rejects(async () => obey(await of(event)), /neither session nor person/);
    assert.deepEqual(ended, ['everybody']);
  });

  test('is worth something once', async () => {
    const { ended, obey } = router();
    const once = await token();
    await obey(once);
    await assert.rejects(obey(once), /used before/);
    assert.deepEqual(ended, ['sid one']);
  });

  /** The first seven are the modules of that name of the OpenID Foundation's conformance suite (Back-Channel Logout §2.6). */
  test('that lies about anything ends nobody’s session', async () => {
    const { ended, obey } = router();
    const now = Math.floor(Date.now() / 1000);
    const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, body = ''] = (await token()).split('.');
    const hmac = `${base64({ alg: 'HS256', kid: 'one', typ: 'logout+jwt' })}.${body}`;
    const secret = await exportSPKI(keys.publicKey);
    const lies: Record<string, string> = {
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss': await token({
        claims: { iss: `${issuerUrl}2` },
      }),
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud': await token({
        claims: { aud: 'haic-platform' },
      }),
      'oidcc-client-test-rp-backchannel-rpinitlogout-no-event': await token({
        claims: { events: undefined },
      }),
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event': await token({
        claims: { events: { 'urn:other': {} } },
      }),
      'oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce': await token({ claims: { nonce: 'n' } }),
      'oidcc-client-test-rp-backchannel-rpinitlogout-alg-none': `${base64({ alg: 'none' })}.${body}.`,
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg': `${hmac}.${createHmac('sha256', secret).update(hmac).digest('base64url')}`,
      'too old': await token({ claims: { iat: now - 3600 } }),
      'from the future': await token({ claims: { iat: now + 3600 } }),
      'ended before it began': await token({ claims: { exp: now - 60 } }),
      'no time': await token({ claims: { iat: undefined } }),
      'no id': await token({ claims: { jti: undefined } }),
      'an event that is none': await token({ claims: { events: { [event]: true } } }),
      nobody: await token({ claims: { sub: undefined, sid: undefined } }),
      'the type of an access token': await token({ header: { typ: 'at+jwt' } }),
      'a foreign key': await token({ key: foreign.privateKey }),
      'an unknown key': await token({ header: { kid: 'two' } }),
      nonsense: 'x.y.z',
      nothing: '',
    };
    for (const [what, lie] of Object.entries(lies))
      await assert.rejects(
        obey(lie),
        (error) => error instanceof HaicError && error.code === 'invalid_logout_token',
        what,
      );
    assert.deepEqual(ended, []);
  });
});
