import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstOf } from './paging.ts';

describe('the first of a list', () => {
  it('are those that sorting all of it would put first, in that order', () => {
    const compare = (a: { by: number }, b: { by: number }) => a.by - b.by;
    // Every number of 0 to 96, five or six times, in no order.
    const items = Array.from({ length: 500 }, (_, index) => ({ by: (index * 37) % 97, index }));
    const before = structuredClone(items);
    for (const count of [0, 1, 7, 100, 499, 500, 501, Number.POSITIVE_INFINITY])
      assert.deepEqual(firstOf(items, count, compare), items.toSorted(compare).slice(0, count), `${count}`);
    assert.deepEqual(firstOf([], 3, compare), []);
    assert.deepEqual(items, before);
  });
});
