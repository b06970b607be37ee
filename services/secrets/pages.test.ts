import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anyId, placeOf } from './pages.ts';

describe('a page of the secure store', () => {
  const limitOf = (pageSize: number) => placeOf({ pageSize, pageToken: '' }, anyId).limit;

  it('has 50 where no size is asked for, and never more than 1000', () => {
    assert.deepEqual([0, 1, 1000, 1001, 2 ** 31 - 1].map(limitOf), [50, 1, 1000, 1000, 1000]);
  });

  it('has no negative size', () => {
    assert.throws(() => limitOf(-1), { status: 400, code: 'invalid_request' });
  });
});
