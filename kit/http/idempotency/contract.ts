import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IdempotencyStore, IdempotencyTimes, KeptAnswer } from './port.ts';

const answer: KeptAnswer = {
  status: 201,
  headers: { location: '/things/1' },
  body: '{"id":1,"name":"Ä\\u0000"}',
};

/** What every store of idempotency keys does. `open` gives one on the same data each time, with a clock that the test sets. */
export function idempotencyStoreContract(
  name: string,
  open: (times: IdempotencyTimes, now: () => number) => IdempotencyStore,
): void {
  const times = { keepMs: 86_400_000, leaseMs: 30_000 };
  let keys = 0;
  const fresh = () => {
    let at = Date.now();
    keys += 1;
    return {
      key: `key-${process.pid}-${keys}`,
      store: open(times, () => at),
      pass: (milliseconds: number) => {
        at += milliseconds;
      },
    };
  };
  const claimed = async (store: IdempotencyStore, key: string) => {
    const claim = await store.claim(key);
    assert.equal(claim.kind, 'claimed');
    return claim as Extract<typeof claim, { kind: 'claimed' }>;
  };

  describe(`${name} as a store of idempotency keys`, () => {
    it('gives a key to one of many who ask at once', async () => {
      const { store, key } = fresh();
      const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(key)));
      assert.equal(claims.filter(({ kind }) => kind === 'claimed').length, 1);
      for (const claim of claims)
        if (claim.kind !== 'claimed')
          assert.ok(
            claim.kind === 'running' && claim.retryAfterMs > 0 && claim.retryAfterMs <= times.leaseMs,
          );
    });

    it('gives the kept answer to whoever comes later, byte for byte', async () => {
      const { store, key } = fresh();
      const { claim } = await claimed(store, key);
      await store.keep(key, claim, 'POST /things', answer);
      assert.deepEqual(await store.claim(key), { kind: 'done', fingerprint: 'POST /things', answer });
    });

    it('forgets an answer after a day', async () => {
      const { store, key, pass } = fresh();
      const first = await claimed(store, key);
      await store.keep(key, first.claim, 'x', answer);
      pass(times.keepMs - 1000);
      assert.equal((await store.claim(key)).kind, 'done');
      pass(2000);
      assert.notEqual((await claimed(store, key)).makes, first.makes, 'and it is for another thing then');
    });

    it('starts afresh when nothing was made', async () => {
      const { store, key } = fresh();
      await store.release(key, (await claimed(store, key)).claim);
      await claimed(store, key);
    });

    it('lets nobody wait for ever for one who died, and names the half-made thing to who takes over', async () => {
      const { store, key, pass } = fresh();
      const first = await claimed(store, key);
      pass(times.leaseMs - 1000);
      assert.equal((await store.claim(key)).kind, 'running');
      await store.renew(key, first.claim);
      pass(times.leaseMs - 1000);
      assert.equal((await store.claim(key)).kind, 'running', 'who renews its claim is alive');
      pass(2000);
      const second = await claimed(store, key);
      assert.equal(second.makes, first.makes);
      await store.keep(key, first.claim, 'late', answer);
      await store.release(key, first.claim);
      assert.equal((await store.claim(key)).kind, 'running', 'a lost claim is worth nothing any more');
      await store.keep(key, second.claim, 'x', answer);
      assert.equal((await store.claim(key)).kind, 'done');
    });

    it('sweeps what is a day old and nothing else', async () => {
      const { store, key, pass } = fresh();
      await store.keep(key, (await claimed(store, key)).claim, 'x', answer);
      await store.sweep();
      assert.equal((await store.claim(key)).kind, 'done');
      pass(times.keepMs + 1000);
      await store.sweep();
      await claimed(store, key);
    });
  });
}
