import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listByName, type NativeListing } from './listing.ts';
import { nameOf } from './names.ts';

test('a search in a large folder tells what it found so far before it has looked at all of it', async () => {
  const keys = Array.from(
    { length: 40 },
    (_, at) => `f/${String(at).padStart(2, '0')}${at % 10 === 7 ? ' report' : ''}`,
  );
  let asked = 0;
  const native: NativeListing = {
    async *pages({ after }) {
      const rest = keys.map(nameOf).filter((name) => after === undefined || name > after);
      for (let at = 0; at < rest.length; at += 5) {
        asked += 1;
        const items = rest
          .slice(at, at + 5)
          .map((name) => ({ name, size: 1, etag: 'e', modifiedAt: new Date(0) }));
        yield { items, folders: [] };
      }
    },
    keyOf: async () => undefined,
  };
  const signal = AbortSignal.timeout(10_000);
  const wanted = { prefix: 'f/', delimiter: '/', named: 'REPORT', limit: 10, signal };
  const found: string[] = [];
  let pages = 0;
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await listByName(native, { ...wanted, ...(after === undefined ? {} : { after }) }, 0);
    found.push(...page.blobs.map(({ key }) => key));
    pages += 1;
    assert.ok(pages <= keys.length, 'each page goes on behind the one before');
    after = page.next;
  }
  const reports = keys.filter((key) => key.endsWith('report'));
  assert.deepEqual(found, reports);
  assert.ok(pages > 5, `${pages}`);
  asked = 0;
  const { blobs, next } = await listByName(native, wanted);
  assert.deepEqual(
    blobs.map(({ key }) => key),
    reports,
  );
  assert.deepEqual([asked, next], [8, undefined], 'in time: all at once');
});
