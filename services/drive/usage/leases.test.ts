import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLeases } from './leases.ts';

/** What the database was asked for, in order. */
function recordingStore() {
  const asked: string[] = [];
  return {
    asked,
    store: {
      lease: async (_id: string, _bucket: string, { most }: { most: number }) => most,
      accountLeased: async (
        _lease: unknown,
        objects: readonly { readonly key: string; readonly bytes: number | undefined }[],
      ) => {
        asked.push(objects.map(({ key, bytes }) => `${key}: ${bytes}`).join(', '));
        return { isWhole: true, fits: true };
      },
      endLease: async () => {
        asked.push('end');
        return true;
      },
      shrinkLease: async () => {},
      release: async () => {},
    },
  };
}

describe('leases', () => {
  it('account in the end for what is there, where another writer of the key was the last to write and not to account', async () => {
    const { asked, store } = recordingStore();
    let there = 20;
    const leases = createLeases(store, async () => there);
    const [one, other] = await Promise.all([leases.draw('bucket', 20), leases.draw('bucket', 10)]);
    await one?.account('key', 20);
    await other?.account('key', 10);
    assert.deepEqual(asked, ['key: 20', 'key: 10']);
    assert.equal(await leases.stop(), true);
    assert.deepEqual(asked.slice(2), ['key: 20', 'end'], 'a lease does not end before');

    there = 30;
    const draw = await leases.draw('bucket', 30);
    await draw?.account('other', 30);
    assert.equal(await leases.stop(), true);
    assert.deepEqual(asked.slice(4), ['other: 30', 'end'], 'nothing more where nobody else wrote');
  });

  it('account in one go for writes that end together, and without those that take longer', async () => {
    const { asked, store } = recordingStore();
    const leases = createLeases(store, async () => 1);
    const draws = await Promise.all([1, 2, 3].map(() => leases.draw('bucket', 1)));
    const [one, other, slow] = draws;
    const first = one?.account('one', 1);
    await Promise.resolve();
    await Promise.all([first, other?.account('other', 1)]);
    assert.deepEqual(asked, ['one: 1, other: 1']);
    await slow?.account('slow', 1);
    assert.deepEqual(asked.slice(1), ['slow: 1']);
    assert.equal(await leases.stop(), true);
  });

  it('have their bucket counted anew when it cannot be said what is there', async () => {
    const { asked, store } = recordingStore();
    const leases = createLeases(store, async () => {
      throw new Error('the store is away');
    });
    const draw = await leases.draw('bucket', 10);
    await draw?.account('key', 10);
    assert.equal(await leases.stop(), false);
    assert.deepEqual(asked, ['key: 10'], 'it is left for whoever counts');
    assert.deepEqual(
      leases.doubtful().map(({ bucket }) => bucket),
      ['bucket'],
    );
  });
});
