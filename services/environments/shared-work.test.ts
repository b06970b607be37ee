import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLimit, createSharedWork } from './shared-work.ts';
import { testCaller } from './testing.ts';

function controlled() {
  let runs = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<void>();
  return {
    runs: () => runs,
    finish: resolve,
    aborted: aborted.promise,
    start: async (work: { signal: AbortSignal; log: (line: string) => void }) => {
      runs += 1;
      work.log('begun');
      work.signal.addEventListener('abort', () => aborted.resolve());
      return Promise.race([promise, aborted.promise.then(() => Promise.reject(work.signal.reason))]);
    },
  };
}

test('callers of the same key share one run and all see its lines', async () => {
  const shared = createSharedWork<string>(createLimit(1));
  const work = controlled();
  const [one, two] = [testCaller(), testCaller()];
  const results = [shared.join('k', work.start, one), shared.join('k', work.start, two)];
  work.finish('done');
  assert.deepEqual(await Promise.all(results), ['done', 'done']);
  assert.equal(work.runs(), 1);
  assert.deepEqual([one.lines, two.lines], [['begun'], ['begun']]);
});

test('a caller that gives up leaves the others alone; the last one ends the work', async () => {
  const shared = createSharedWork<string>(createLimit(1));
  const work = controlled();
  const [first, second] = [new AbortController(), new AbortController()];
  const one = shared.join('k', work.start, testCaller(first.signal));
  const two = shared.join('k', work.start, testCaller(second.signal));
  first.abort(new Error('first left'));
  await assert.rejects(one, /first left/);
  assert.equal(shared.idle(), false);
  second.abort(new Error('second left'));
  await assert.rejects(two, /second left/);
  await work.aborted;
  await shared.whenIdle();
  assert.equal(shared.idle(), true);
});

test('no more runs at once than allowed, and whoever waits is told', async () => {
  const shared = createSharedWork<string>(createLimit(1));
  const [busy, next] = [controlled(), controlled()];
  const caller = testCaller();
  const one = shared.join('a', busy.start, testCaller());
  const two = shared.join('b', next.start, caller);
  assert.equal(next.runs(), 0);
  assert.deepEqual(caller.lines, ['Waiting for other installations…']);
  busy.finish('a');
  await one;
  next.finish('b');
  assert.equal(await two, 'b');
});

test('one that gives up while it waits does not use up a turn', async () => {
  const shared = createSharedWork<string>(createLimit(1));
  const [busy, never, last] = [controlled(), controlled(), controlled()];
  const one = shared.join('a', busy.start, testCaller());
  const leaving = new AbortController();
  const two = shared.join('b', never.start, testCaller(leaving.signal));
  const three = shared.join('c', last.start, testCaller());
  leaving.abort(new Error('left'));
  await assert.rejects(two, /left/);
  busy.finish('a');
  last.finish('c');
  assert.deepEqual(await Promise.all([one, three]), ['a', 'c']);
  assert.equal(never.runs(), 0);
});

test('stop ends everything that runs', async () => {
  const shared = createSharedWork<string>(createLimit(1));
  const work = controlled();
  const one = assert.rejects(shared.join('a', work.start, testCaller()), /stopping/);
  await shared.stop();
  await one;
});
