import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { noSuchKey } from '../errors.ts';
import type { Bucket } from '../model.ts';
import { type SearchParts, searchFolder } from './search.ts';
import { startTestOcean, type TestOcean } from './testing.ts';

const bucket: Bucket = { name: '_my', prefix: 'drive/people/ada/', kind: 'own', id: 'ada', role: 'owner' };
const inByteOrder = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('a search in a folder', () => {
  let at: TestOcean;
  before(async () => {
    at = await startTestOcean(createFilesystemBlobStore);
  });
  after(() => at.stop());

  const put = async (...keys: readonly string[]) => {
    for (const key of keys) {
      const content = { size: 1, md5: undefined, open: () => Readable.from([Buffer.from('x')]) };
      await at.drive.objects.put(bucket, key, content, { signal: AbortSignal.timeout(10_000) });
    }
  };
  /** In the account alone. */
  const account = (keys: readonly string[]) => {
    const rows = keys.map((key) => ({ bucket: bucket.prefix, key: Buffer.from(key), bytes: 1 }));
    return at.database.sql`insert into drive.objects ${at.database.sql(rows)}`;
  };
  const page = async (prefix: string, query: string, pageSize = 1000, pageToken = '') => {
    const asked = new URLSearchParams({ prefix, query, pageSize: String(pageSize), pageToken });
    const { status, json } = await at.api('ada', 'GET', `/buckets/_my/entries?${asked}`);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  const keysOf = (json: { items: { key: string }[] }) => json.items.map(({ key }) => key);
  const found = async (prefix: string, query: string) => keysOf(await page(prefix, query));

  it('finds objects and folders that are directly in it by a part of their own name', async () => {
    await put('own/a report.csv', 'own/report/x.csv', 'own/sub/report.csv', 'own/b.csv', 'own/deep/report/x');
    await put('own/', 'own report', 'owner/report', 'own/reports');
    assert.deepEqual(await found('own/', 'report'), ['own/a report.csv', 'own/report/', 'own/reports']);
    assert.deepEqual(await found('own/', 'own'), []);
    assert.deepEqual(await found('own/', '/'), [], 'the slash is no part of a name');
    assert.deepEqual(await found('own/report/', 'X'), ['own/report/x.csv']);
    assert.deepEqual(await found('nowhere/', 'x'), []);
    assert.deepEqual(await found('', 'own'), ['own report', 'own/', 'owner/']);
  });

  it('tells of an object what the list tells, and of a folder its name', async () => {
    await put('told/one.txt', 'told/one/two');
    const listed = (await at.api('ada', 'GET', '/buckets/_my/entries?prefix=told/')).json;
    assert.deepEqual((await page('told/', 'one')).items, listed.items);
    assert.equal(listed.items.length, 2);
  });

  it('takes capitals and small letters of every script for the same', async () => {
    const keys = ['case/GRÖSSE.csv', 'case/größer/x', 'case/Größe.txt', 'case/Ёлка.txt', 'case/ΑΘΗΝΑ'];
    await put(...keys, 'case/grosse');
    assert.deepEqual(await found('case/', 'größ'), ['case/Größe.txt', 'case/größer/']);
    assert.deepEqual(await found('case/', 'RÖS'), ['case/GRÖSSE.csv']);
    assert.deepEqual(await found('case/', 'ёЛ'), ['case/Ёлка.txt']);
    assert.deepEqual(await found('case/', 'αθη'), ['case/ΑΘΗΝΑ']);
  });

  it('takes a name as it is, whatever bytes it has, and tells names in byte order', async () => {
    const names = [
      ...['\0 report', '\u0001 report', '% report', '_ report', '\\ report', "' report", '\\x2f report'],
      ...['. report', '.. report', '0 report', 'report\n', '\u007f report', '\ue000 report', '\uffff report'],
      ...['😀 report', `${'l'.repeat(230)} report`, 'report//x', '-report/.', 'a\0b report/\0'],
    ];
    await put(...names.map((name) => `hostile/${name}`), 'hostile//report');
    const folder = (name: string) => name.replace(/\/.*/s, '/');
    const expected = inByteOrder(names.map((name) => `hostile/${folder(name)}`));
    assert.deepEqual(await found('hostile/', 'REPORT'), expected);
    assert.deepEqual(await found('hostile/', '%'), ['hostile/% report']);
    assert.deepEqual(await found('hostile/', '\\x'), ['hostile/\\x2f report']);
    assert.deepEqual(await found('hostile/', 'a\0B'), ['hostile/a\0b report/']);
    assert.deepEqual(await found('hostile//', 'report'), ['hostile//report']);
  });

  it('goes on behind the page before, to the last one, with none left out and none told twice', async () => {
    const keys = ['p/1x', 'p/2x', 'p/2x.', 'p/2x/1', 'p/2x/2', 'p/2x0', 'p/3', 'p/3x/', 'p/4x', 'p/x'];
    await put(...keys, 'p0x', 'p');
    const expected = ['p/1x', 'p/2x', 'p/2x.', 'p/2x/', 'p/2x0', 'p/3x/', 'p/4x', 'p/x'];
    for (const size of [1, 2, 3, 8]) {
      const pages: string[][] = [];
      let token: string | undefined = '';
      while (token !== undefined && pages.length < 20) {
        const json = await page('p/', 'X', size, token);
        pages.push(keysOf(json));
        token = json.nextPageToken;
      }
      assert.deepEqual(pages.flat(), expected, `${size}`);
      assert.equal(pages.length, Math.ceil(expected.length / size), 'no page is empty');
    }
  });

  it('tells a folder once and goes on behind it, and reads next to nothing of what lies below', async () => {
    const below = (folder: string) => Array.from({ length: 2500 }, (_, i) => `deep/${folder}/${i}/x`);
    await account([...below('a many'), ...below('b'), ...below('c many')]);
    await put('deep/a many.txt', 'deep/c', 'deep/d many');
    const expected = ['deep/a many.txt', 'deep/a many/', 'deep/c many/', 'deep/d many'];
    assert.deepEqual(await found('deep/', 'many'), expected);
    const [atFirst, atLast, told] = await at.database.transaction(async (sql) => {
      // Of this connection, and possibly of its transactions before this one, too.
      const rowsRead = async () => {
        const [row] = await sql<{ read: string }[]>`
          select pg_stat_get_xact_tuples_returned('drive.objects_pkey'::regclass) as read`;
        return Number(row?.read);
      };
      const start = await rowsRead();
      const folder = Buffer.from('deep/');
      const { count } = await sql`
        select drive.entries_in(${bucket.prefix}, ${folder}::bytea, ${folder}::bytea, 1000)`;
      return [start, await rowsRead(), count] as const;
    });
    assert.equal(told, 6);
    assert.ok(atLast > atFirst && atLast - atFirst < 100, `${atLast - atFirst} rows were read`);
  });

  it('finds what is far behind in a large folder', async () => {
    const names = Array.from({ length: 2500 }, (_, i) => `large/${String(i).padStart(4, '0')}`);
    await account(names);
    const reports = ['large/0000 report', 'large/0999 report', 'large/1999 report', 'large/2499 report'];
    await put(...reports);
    assert.deepEqual(await found('large/', 'report'), reports);
  });

  it('leaves out what is gone by the time that it is looked at', async () => {
    await put('gone/1 x', 'gone/2 x', 'gone/3 x');
    await at.blobs.delete(`${bucket.prefix}gone/2 x`, { signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(await found('gone/', 'x'), ['gone/1 x', 'gone/3 x']);
    const first = await page('gone/', 'x', 2);
    assert.deepEqual(keysOf(first), ['gone/1 x']);
    assert.deepEqual(keysOf(await page('gone/', 'x', 2, first.nextPageToken)), ['gone/3 x']);
  });
});

describe('a search that takes long', () => {
  const keys = Array.from(
    { length: 4000 },
    (_, i) => `f/${String(i).padStart(4, '0')}${i % 10 === 0 ? ' report' : ''}`,
  );
  const info = { size: 1, modifiedAt: new Date(0), etag: 'e', contentType: 'text/plain', metadata: {} };
  const usage: SearchParts['usage'] = {
    entriesIn: async (_bucket, _folder, after = '', limit) =>
      keys.filter((key) => key > after).slice(0, limit),
  };
  const wanted = { prefix: 'f/', query: 'REPORT', after: undefined, limit: 500 };

  it('tells what it found so far, and goes on from there', async () => {
    const objects: SearchParts['objects'] = { head: async (_bucket, key) => ({ ...info, key }) };
    const signal = AbortSignal.timeout(10_000);
    const found: string[] = [];
    let pages = 0;
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await searchFolder({ objects, usage }, bucket, { ...wanted, after, signal }, 0);
      found.push(...page.entries.map(({ key }) => key));
      pages += 1;
      assert.ok(pages <= keys.length, 'each page goes on behind the one before');
      after = page.next;
    }
    assert.deepEqual(
      found,
      keys.filter((key) => key.endsWith('report')),
    );
    assert.ok(pages > 4, `${pages}`);
  });

  it('looks at some objects at a time, and ends with what its signal or the store says', async () => {
    let now = 0;
    let most = 0;
    const objects: SearchParts['objects'] = {
      head: async (_bucket, key) => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        if (key === 'f/3990 report') throw noSuchKey();
        return { ...info, key };
      },
    };
    const signal = AbortSignal.timeout(10_000);
    const page = await searchFolder({ objects, usage }, bucket, { ...wanted, signal });
    assert.deepEqual([page.entries.length, page.next], [399, undefined]);
    assert.ok(most > 1 && most <= 32, `${most}`);
    const gone = AbortSignal.abort(new Error('gone'));
    await assert.rejects(searchFolder({ objects, usage }, bucket, { ...wanted, signal: gone }), /gone/);
    const away: SearchParts['objects'] = { head: () => Promise.reject(new Error('away')) };
    await assert.rejects(searchFolder({ objects: away, usage }, bucket, { ...wanted, signal }), /away/);
  });
});
