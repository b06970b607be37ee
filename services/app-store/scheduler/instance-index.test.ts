import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createInstanceIndex,
  type Indexed,
  type InstanceQuery,
  newestFirst,
  type Place,
} from './instance-index.ts';

/** Few of each, so that they meet: moments, owners, apps and ids that come again. */
const one = (...values: readonly string[]) => fc.constantFrom(...values);
const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const moments = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', 'some day'];
const instance: fc.Arbitrary<Indexed> = fc.record({
  id: one(...ids),
  createdAt: one(...moments),
  owner: fc.record({ subject: one('s1', 's2', 's3'), username: one('ada', 'bob') }),
  app: fc.record({ id: one('app1', 'app2') }),
});
const step = fc.oneof(
  { weight: 3, arbitrary: instance.map((put) => ({ put })) },
  { weight: 1, arbitrary: one(...ids).map((remove) => ({ remove })) },
);
const query: fc.Arbitrary<InstanceQuery> = fc.record(
  { owner: one('s1', 's2', 'nobody'), username: one('ada', 'bob', 'nobody'), appId: one('app1', 'none') },
  { requiredKeys: [] },
);
const place: fc.Arbitrary<Place | undefined> = fc.option(
  fc.record({ id: one(...ids), createdAt: one(...moments) }),
  { nil: undefined },
);

/** What the index stands for: a look at each of them. */
function scan(items: Iterable<Indexed>, asked: InstanceQuery, behind: Place | undefined): Indexed[] {
  return [...items]
    .filter(({ owner }) => asked.owner === undefined || owner.subject === asked.owner)
    .filter(({ owner }) => asked.username === undefined || owner.username === asked.username)
    .filter(({ app }) => asked.appId === undefined || app.id === asked.appId)
    .filter((item) => behind === undefined || newestFirst(item, behind) > 0)
    .sort(newestFirst);
}

describe('the index of instances', () => {
  it('answers whatever is asked as a scan of all of them would, after whatever has come and gone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), query, place, (steps, asked, behind) => {
        const index = createInstanceIndex<Indexed>((item) => item);
        const known = new Map<string, Indexed>();
        for (const change of steps)
          if ('put' in change) {
            index.put(change.put);
            known.set(change.put.id, change.put);
          } else {
            index.remove(change.remove);
            known.delete(change.remove);
          }
        assert.deepEqual([...index.inOrder(asked, behind)], scan(known.values(), asked, behind));
        for (const id of ids) assert.equal(index.get(id), known.get(id));
      }),
      { numRuns: 500 },
    );
  });

  it('looks at no more of them than are asked for', () => {
    let looks = 0;
    const index = createInstanceIndex<Indexed>((item) => {
      looks += 1;
      return item;
    });
    for (let n = 0; n < 5_000; n += 1)
      index.put({
        id: `id-${n}`,
        createdAt: new Date(n).toISOString(),
        owner: { subject: `s${n % 500}`, username: `p${n % 500}` },
        app: { id: 'app' },
      });
    looks = 0;
    const theirs = [...index.inOrder({ owner: 's7', appId: 'app' })];
    assert.deepEqual([theirs.length, theirs[0]?.id, looks], [10, 'id-4507', 10]);
    const page: string[] = [];
    for (const { id } of index.inOrder({}, { createdAt: new Date(2_500).toISOString(), id: 'id-2500' })) {
      page.push(id);
      if (page.length === 3) break;
    }
    assert.deepEqual(page, ['id-2499', 'id-2498', 'id-2497']);
    assert.ok(looks < 50, `${looks} looks`);
  });
});
