import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Starting } from './port.ts';

export function startingContract(name: string, create: () => Starting): void {
  describe(`starts that go on (${name})`, () => {
    const start = () => ({ id: randomUUID(), of: { appId: randomUUID(), owner: randomUUID() } });

    it('counts those that came before, until the runtime shows them', async () => {
      const starting = create();
      const { of } = start();
      const ids = Array.from({ length: 5 }, () => randomUUID());
      const begun = await Promise.all(ids.map((id) => starting.begin(id, of)));
      const before = await Promise.all(begun.map((one) => one.before([])));
      assert.deepEqual(before.toSorted(), [0, 1, 2, 3, 4], 'each has a place of its own');
      assert.equal(await starting.countOf(of.appId, []), 5);
      assert.equal(await starting.countOf(of.appId, ids.slice(1)), 1);
      const last = begun[before.indexOf(4)];
      assert.equal(await last?.before(ids), 0);
      assert.equal(await (await starting.begin(randomUUID(), start().of)).before([]), 0, 'for somebody else');
    });

    it('forgets one that failed, and one whose instance is gone', async () => {
      const starting = create();
      const { id, of } = start();
      await (await starting.begin(id, of)).failed();
      const { id: gone } = start();
      const made = await starting.begin(gone, of);
      assert.ok((await starting.ids()).has(gone));
      await made.made();
      await starting.forget(gone);
      assert.equal(await starting.countOf(of.appId, []), 0);
      assert.ok(!(await starting.ids()).has(gone));
    });

    it('begins one anew that died, and counts it once', async () => {
      const starting = create();
      const { id, of } = start();
      await starting.begin(id, of);
      assert.equal(await (await starting.begin(id, of)).before([]), 0);
      assert.equal(await starting.countOf(of.appId, []), 1);
    });
  });
}
