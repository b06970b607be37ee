import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlaces } from './places.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let begun = false;
  const work = () => {
    begun = true;
    return promise;
  };
  return { work, resolve, reject, hasBegun: () => begun };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('places', () => {
  it('lets so many work at a time, and the others after them in their order', async () => {
    const inPlace = createPlaces(2);
    const jobs = [job(), job(), job(), job()] as const;
    const done = jobs.map(({ work }) => inPlace(work, never));
    const begun = () => jobs.map(({ hasBegun }) => hasBegun());
    await turn();
    assert.deepEqual(begun(), [true, true, false, false]);
    jobs[1].resolve('second');
    assert.equal(await done[1], 'second');
    await turn();
    assert.deepEqual(begun(), [true, true, true, false]);
    // Work that fails gives its place back like any other.
    jobs[0].reject(new Error('broken'));
    await assert.rejects(async () => done[0], /broken/);
    await turn();
    assert.deepEqual(begun(), [true, true, true, true]);
    jobs[2].resolve('third');
    jobs[3].resolve('fourth');
    assert.deepEqual(await Promise.all(done.slice(2)), ['third', 'fourth']);
  });

  it('who gives up waiting takes no place', async () => {
    const inPlace = createPlaces(1);
    const [first, second, third] = [job(), job(), job()] as const;
    const giveUp = new AbortController();
    const one = inPlace(first.work, never);
    const two = inPlace(second.work, giveUp.signal);
    const three = inPlace(third.work, never);
    giveUp.abort(new Error('not any more'));
    await assert.rejects(two, /not any more/);
    first.resolve('one');
    third.resolve('three');
    assert.deepEqual(await Promise.all([one, three]), ['one', 'three']);
    assert.equal(second.hasBegun(), false);
    await assert.rejects(inPlace(second.work, giveUp.signal), /not any more/);
  });
});
