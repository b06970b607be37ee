import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { benchKubernetes } from '../../bench/kubernetes.ts';

const isFull = process.env.HAIC_TEST_SIZE === 'full';
const skip = isFull ? false : 'it takes half an hour: ./haic test cluster --size full';

describe('5,000 instances of 500 people', { skip, timeout: 3_600_000 }, () => {
  it('requests and fifty starts at once all succeed, the starts once each; and apps go on while core is killed and comes back', async (t) => {
    const rows = new Map((await benchKubernetes()).map((row) => [row.id, row]));
    for (const row of rows.values()) t.diagnostic(`${row.name}: ${row.ours} ${row.unit} (${row.note ?? ''})`);
    for (const id of ['requests', 'burst', 'restart-requests']) {
      const row = rows.get(`13.kubernetes.${id}`);
      assert.equal(row?.ours, 0, `${id}: ${row?.note ?? 'not measured'}`);
    }
  });
});
