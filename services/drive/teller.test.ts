import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@haic/kit/logging.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import { createTeller } from './teller.ts';

const logger = createLogger('drive', 'silent');
const times = { patienceMs: 100, firstRetryMs: 10, lastRetryMs: 20, stopMs: 200 };
const event = (n: number): AuditedAction => ({
  ...{ action: 'actions/test/things/DELETE', readOnly: false, principal: 'users/u1' },
  requestParameters: { n: String(n) },
});

function start(limit?: number) {
  const state = { away: false, hangs: false, batches: [] as (readonly AuditedAction[])[] };
  const teller = createTeller({
    ...{ logger, times, ...(limit === undefined ? {} : { limit }) },
    audit: {
      recordMany: async (actions) => {
        if (state.hangs) await new Promise(() => {});
        await delay(5);
        if (state.away) throw new Error('away');
        state.batches.push(actions);
      },
    },
  });
  return {
    teller,
    state,
    told: () => state.batches.flat().map(({ requestParameters }) => requestParameters?.n),
  };
}
const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));

describe('telling of what happens in any case', () => {
  it('is done by the time that it is answered, many at once together', async () => {
    const { teller, state, told } = start();
    await teller.tell(event(0));
    assert.deepEqual(told(), ['0']);
    await Promise.all(numbers(200).map((_, n) => teller.tell(event(n))));
    assert.equal(told().length, 201);
    assert.ok(state.batches.length <= 4, `${state.batches.length}`);
    await teller.stop();
  });

  it('waits for nothing once nothing can be recorded, and makes up for it in its order', async () => {
    const { teller, state, told } = start();
    state.away = true;
    for (let n = 0; n < 50; n += 1) await teller.tell(event(n));
    assert.deepEqual(told(), []);
    state.away = false;
    for (const end = Date.now() + 5000; told().length < 50 && Date.now() < end; ) await delay(5);
    assert.deepEqual(told(), numbers(50));
    await teller.stop();
  });

  it('is given up after a moment where the disk says nothing at all, and after that at once', async () => {
    const { teller, state } = start();
    state.hangs = true;
    const first = performance.now();
    await teller.tell(event(0));
    const second = performance.now();
    for (let n = 0; n < 50; n += 1) await teller.tell(event(n));
    const waited = [
      second - first >= times.patienceMs - 5,
      performance.now() - second < 50 * times.patienceMs,
    ];
    assert.deepEqual(waited, [true, true]);
    await teller.stop();
  });

  it('holds no more than there is room for, and says how many it could not hold', async () => {
    const { teller, state, told } = start(10);
    state.away = true;
    for (let n = 0; n < 25; n += 1) await teller.tell(event(n));
    state.away = false;
    for (const end = Date.now() + 5000; told().length < 10 && Date.now() < end; ) await delay(5);
    await teller.tell(event(25));
    assert.deepEqual(told(), [...numbers(10), '25']);
    assert.deepEqual(
      state.batches
        .flat()
        .flatMap(({ metadata }) => (metadata?.untold === undefined ? [] : [metadata.untold])),
      ['15'],
    );
    await teller.stop();
  });

  it('is done with at the end, if the disk is there', async () => {
    const { teller, state, told } = start();
    state.away = true;
    for (let n = 0; n < 5; n += 1) await teller.tell(event(n));
    state.away = false;
    await teller.stop();
    assert.deepEqual(told(), numbers(5));
  });
});
