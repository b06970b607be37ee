import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import { createKeySet } from './key-set.ts';

const makeKey = async (kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const token = () => new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
  return { jwk, token };
};
const [first, second] = await Promise.all([makeKey('first'), makeKey('second')]);

/** An issuer whose keys, and whose clock, the test says. */
function issuer(times = { freshForMs: 3_000, askAgainAfterMs: 500 }) {
  const state = {
    keys: [first.jwk],
    asked: 0,
    answer: 'keys' as 'keys' | 'away' | 'nonsense' | 'error',
    now: 0,
  };
  const find = createKeySet({
    url: 'http://issuer/keys',
    times,
    now: () => state.now,
    fetch: async () => {
      state.asked += 1;
      if (state.answer === 'away') throw new Error('connect ECONNREFUSED');
      if (state.answer === 'error') return new Response('', { status: 500 });
      return new Response(JSON.stringify(state.answer === 'nonsense' ? { keys: 1 } : { keys: state.keys }));
    },
  });
  const verifies = async (key: typeof first) => {
    const token = await key.token();
    return jwtVerify(token, find).then(
      () => true,
      () => false,
    );
  };
  return { state, verifies };
}

describe('the published keys of an issuer', () => {
  it('are asked for once, and serve for a while', async () => {
    const { state, verifies } = issuer();
    assert.deepEqual(await Promise.all([verifies(first), verifies(first), verifies(first)]), [
      true,
      true,
      true,
    ]);
    state.now = 2_999;
    assert.equal(await verifies(first), true);
    assert.equal(state.asked, 1);
  });

  it('are believed no longer than said after they were withdrawn', async () => {
    const { state, verifies } = issuer();
    assert.equal(await verifies(first), true);
    state.keys = [second.jwk];
    state.now = 3_000;
    assert.equal(await verifies(first), false);
  });

  it('are asked for anew for one that is not known, at most once in a while', async () => {
    const { state, verifies } = issuer();
    assert.equal(await verifies(first), true);
    state.keys = [first.jwk, second.jwk];
    assert.equal(await verifies(second), false, 'asked only just now');
    state.now = 500;
    assert.equal(await verifies(second), true);
    assert.equal(state.asked, 2);
    const unknown = await makeKey('unknown');
    for (let attempt = 0; attempt < 50; attempt += 1) assert.equal(await verifies(unknown), false);
    assert.equal(state.asked, 2);
    state.now = 1_000;
    for (let attempt = 0; attempt < 50; attempt += 1) assert.equal(await verifies(unknown), false);
    assert.equal(state.asked, 3);
  });

  it('serve on while the issuer is away or talks nonsense, which is not asked with every token', async () => {
    const { state, verifies } = issuer();
    assert.equal(await verifies(first), true);
    for (const answer of ['away', 'error', 'nonsense'] as const) {
      state.answer = answer;
      state.now += 10_000;
      const before = state.asked;
      for (let attempt = 0; attempt < 20; attempt += 1) assert.equal(await verifies(first), true, answer);
      assert.equal(state.asked, before + 1, answer);
    }
    state.answer = 'keys';
    state.keys = [second.jwk];
    state.now += 1_000;
    assert.equal(await verifies(first), false);
    assert.equal(await verifies(second), true);
  });

  it('are an error while nothing is known', async () => {
    const { state, verifies } = issuer();
    state.answer = 'away';
    assert.equal(await verifies(first), false);
    state.answer = 'keys';
    assert.equal(await verifies(first), true);
  });
});
