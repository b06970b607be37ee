import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HaicError, unavailable } from '@haic/kit/errors.ts';
import type { DriveSession } from './model.ts';
import { createStanding } from './standing.ts';

const session = { subject: 'ada', party: 'haic-cli', signIn: undefined } as DriveSession;

function world() {
  const state = { now: 0, asked: 0, answer: true as boolean | 'away', linkIsGood: true };
  const standing = createStanding(
    {
      mayStillAct: async () => {
        state.asked += 1;
        if (state.answer === 'away') throw unavailable('service_unavailable', 'core is away');
        return state.answer;
      },
    },
    { isGood: async () => state.linkIsGood },
    () => state.now,
  );
  const check = () =>
    standing.check(session).then(
      () => 'good',
      (error: unknown) => (error instanceof HaicError ? error.code : 'another error'),
    );
  return { state, check };
}

describe('the standing of who has temporary keys', () => {
  it('is asked once for all requests of a few seconds, and then again', async () => {
    const { state, check } = world();
    assert.deepEqual(await Promise.all([check(), check(), check()]), ['good', 'good', 'good']);
    state.now = 2_999;
    state.answer = false;
    assert.equal(await check(), 'good');
    assert.equal(state.asked, 1);
    state.now = 3_000;
    assert.equal(await check(), 'ExpiredToken');
    assert.equal(state.asked, 2);
  });

  it('that was good is believed for a minute while core is away, and no longer', async () => {
    const { state, check } = world();
    await check();
    state.answer = 'away';
    state.now = 59_000;
    assert.equal(await check(), 'good');
    state.now = 61_000;
    assert.equal(await check(), 'ServiceUnavailable');
    state.answer = true;
    assert.equal(await check(), 'good');
  });

  it('that nobody knows, or that was bad, is not taken for good while core is away', async () => {
    const { state, check } = world();
    state.answer = 'away';
    assert.equal(await check(), 'ServiceUnavailable');
    state.answer = false;
    assert.equal(await check(), 'ExpiredToken');
    state.now = 4_000;
    state.answer = 'away';
    assert.equal(await check(), 'ServiceUnavailable');
  });
});
