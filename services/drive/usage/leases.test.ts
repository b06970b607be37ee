import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import { createLeases } from './leases.ts';

/** What the database was asked for, in order. */
function recordingStore() {
  const asked: string[] = [];
  const world = { isAlone: true, isAway: false, isSlow: false };
  const never = new Promise<never>(() => {});
  return {
    asked,
    world,
    store: {
      lease: async (_id: string, _bucket: string, { most }: { most: number }) => most,
      accountLeased: async (
        _lease: unknown,
        objects: readonly { readonly key: string; readonly bytes: number | undefined }[],
      ) => {
        if (world.isSlow) await never;
        if (world.isAway) throw new Error('the database is away');
        asked.push(objects.map(({ key, bytes }) => `${key}: ${bytes}`).join(', '));
        return { isWhole: true, isAlone: world.isAlone, fits: true };
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

const doubtful = (leases: ReturnType<typeof createLeases>) => leases.doubtful().map(({ bucket }) => bucket);

describe('leases', () => {
  it('account in the end for what is there, where another writer of the key was the last to write and not to account', async () => {
    const { asked, store } = recordingStore();
    let there = 20;
    const leases = createLeases(store, async () => there);
    const [one, other] = await Promise.all([
      leases.draw('bucket', 'key', 20),
      leases.draw('bucket', 'key', 10),
    ]);
    await one?.account(20);
    await leases.settle('bucket');
    await other?.account(10);
    await leases.settle('bucket');
    assert.deepEqual(asked, ['key: 20', 'key: 10']);
    assert.equal(await leases.stop(), true);
    assert.deepEqual(asked.slice(2), ['key: 20', 'end'], 'a lease does not end before');

    there = 30;
    const draw = await leases.draw('bucket', 'key', 30);
    await draw?.account(30);
    assert.equal(await leases.stop(), true);
    assert.deepEqual(asked.slice(4), ['key: 30', 'end'], 'nothing more where nobody else wrote');
  });

  it('look at what is there again where another process accounted for something meanwhile, and only there', async () => {
    const { asked, world, store } = recordingStore();
    const looked: string[] = [];
    const leases = createLeases(store, async (_bucket, key) => {
      looked.push(key);
      return 1;
    });
    const account = async (key: string, meanwhile: () => Promise<void> = async () => {}) => {
      const draw = await leases.draw('bucket', key, 2);
      await meanwhile();
      await draw?.account(2);
      await leases.settle('bucket');
    };
    await account('before');
    await account('around', async () => {
      world.isAlone = false;
      // What was seen with the account of another key counts for all that were being written.
      await account('inside');
      world.isAlone = true;
    });
    await account('after');
    assert.deepEqual(asked, ['before: 2', 'inside: 2', 'around: 2', 'after: 2']);
    assert.equal(await leases.stop(), true);
    assert.deepEqual(looked.slice(0, 2), ['inside', 'around']);
    assert.ok(!looked.includes('before') && !looked.includes('after'), `${looked}`);
    assert.deepEqual(asked.slice(4), ['inside: 1, around: 1', 'end']);
  });

  it('let only the last of those who write wait for an account, and make those of writes that are under way together', async () => {
    const { asked, store } = recordingStore();
    const leases = createLeases(store, async () => 1);
    const draws = await Promise.all(['one', 'other', 'slow'].map((key) => leases.draw('bucket', key, 1)));
    const [one, other, slow] = draws;
    await one?.account(1);
    await other?.account(1);
    assert.deepEqual(asked, []);
    await until(() => asked[0], { everyMs: 5, signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(asked, ['one: 1, other: 1'], 'without those that take longer');
    await slow?.account(1);
    assert.deepEqual(asked.slice(1), ['slow: 1']);
    assert.equal(await leases.stop(), true);
  });

  it('account for everything before they end', async () => {
    const { asked, store } = recordingStore();
    const leases = createLeases(store, async () => 1);
    const keys = Array.from({ length: 150 }, (_, index) => `${index}`);
    const draws = await Promise.all(keys.map((key) => leases.draw('bucket', key, 1)));
    for (const draw of draws) await draw?.account(1);
    assert.equal(await leases.stop(), true);
    assert.equal(asked.at(-1), 'end');
    assert.deepEqual(
      asked.slice(0, -1).flatMap((batch) => batch.split(', ')),
      keys.map((key) => `${key}: 1`),
    );
  });

  it('let a writer wait where the database does not keep up', async () => {
    const { world, store } = recordingStore();
    world.isSlow = true;
    const leases = createLeases(store, async () => 1);
    const write = async () => (await leases.draw('bucket', 'key', 0))?.account(0);
    // The last one would wait in any case.
    await leases.draw('bucket', 'under way', 0);
    const taken = Array.from({ length: 1_000 }, write);
    await Promise.all(taken);
    // Those that are being made wait no more.
    await Promise.all(Array.from({ length: 64 }, write));
    const answer = await Promise.race([write(), new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]);
    assert.equal(answer, 'waits');
  });

  it('have their bucket counted anew when an account failed, and are drawn from no more', async () => {
    const { asked, world, store } = recordingStore();
    const leases = createLeases(store, async () => 10);
    world.isAway = true;
    const draw = await leases.draw('bucket', 'key', 10);
    await draw?.account(10);
    await leases.settle('bucket');
    assert.deepEqual(doubtful(leases), ['bucket']);
    world.isAway = false;
    const next = await leases.draw('bucket', 'next', 10);
    await next?.account(10);
    assert.equal(await leases.stop(), false, 'what is in doubt is left for whoever counts');
    assert.deepEqual(asked, ['next: 10', 'end']);
  });

  it('have their bucket counted anew when it cannot be said what is there', async () => {
    const { asked, store } = recordingStore();
    const leases = createLeases(store, async () => {
      throw new Error('the store is away');
    });
    const draws = [await leases.draw('bucket', 'key', 10), await leases.draw('bucket', 'key', 10)];
    for (const draw of draws) await draw?.account(10);
    assert.equal(await leases.stop(), false);
    assert.deepEqual(asked, ['key: 10'], 'it is left for whoever counts');
    assert.deepEqual(doubtful(leases), ['bucket']);
  });
});
