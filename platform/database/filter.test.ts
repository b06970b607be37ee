import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { formatFilter } from '@haic/kit/filter/format.ts';
import { listInMemory } from '@haic/kit/filter/in-memory.ts';
import { cutList, type ListRequest, type ListSpec, readListQuery } from '@haic/kit/filter/list.ts';
import { matches } from '@haic/kit/filter/matches.ts';
import { anyFilter, anyItem, fields, type Item } from '@haic/kit/filter/testing.ts';
import fc from 'fast-check';
import { filterFragment, listFragments } from './filter.ts';
import type { Database } from './port.ts';
import { startTestDatabase } from './testing.ts';

const spec = { fields: { ...fields, id: { type: 'text' } }, unique: 'id' } as const satisfies ListSpec;
const runs = { numRuns: Number(process.env.HAIC_FUZZ_RUNS ?? 100) };

describe('filters and orders in PostgreSQL', () => {
  let database: Database;
  let stop: () => Promise<void>;
  before(async () => {
    ({ database, stop } = await startTestDatabase());
    await database.sql`
      create table items (
        id uuid primary key, display_name text not null, note text, size bigint not null, score float8,
        active boolean not null, create_time timestamptz not null, delete_time timestamptz, state text not null,
        experiment_ids text[] not null
      )`;
  });
  after(() => stop?.());

  const columns = () => {
    const { sql } = database;
    return {
      ...{
        id: sql`id`,
        display_name: sql`display_name`,
        note: sql`note`,
        size: sql`size`,
        score: sql`score`,
      },
      ...{ active: sql`active`, create_time: sql`create_time`, delete_time: sql`delete_time` },
      ...{ state: sql`state`, experiment_ids: sql`experiment_ids` },
    };
  };

  async function fill(items: readonly Item[]): Promise<void> {
    const { sql } = database;
    await sql`truncate items`;
    for (const each of items)
      await sql`
        insert into items values (
          ${each.id}, ${each.display_name}, ${each.note}, ${String(each.size)}::text::bigint, ${each.score}, ${each.active},
          ${each.create_time}::text::timestamptz, ${each.delete_time}::text::timestamptz, ${each.state},
          ${sql.array([...each.experiment_ids])}::text[]
        )`;
  }

  async function ask(request: ListRequest): Promise<{ ids: string[]; nextPageToken: string }> {
    const { sql } = database;
    const query = readListQuery(spec, request);
    const { where, order, limit, keys } = listFragments(sql, query, columns());
    const rows = await sql<{ id: string; keys: (string | null)[] }[]>`
      select id, ${keys} as keys from items where ${where} order by ${order} limit ${limit}`;
    const { items, nextPageToken } = cutList(query, rows, (row) => row.keys);
    return { ids: items.map(({ id }) => id), nextPageToken };
  }

  const someItems = fc.uniqueArray(anyItem, { minLength: 1, maxLength: 8, selector: ({ id }) => id });

  it('keep what they keep in memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        someItems,
        fc.array(anyFilter, { minLength: 1, maxLength: 8 }),
        async (items, filters) => {
          await fill(items);
          for (const filter of filters) {
            const text = formatFilter(filter, spec.fields);
            const expected = items.filter((item) => matches(filter, spec.fields, item)).map(({ id }) => id);
            assert.deepEqual((await ask({ filter: text })).ids, expected.sort(), text);
            const query = readListQuery(spec, { filter: text });
            const [counted] = await database.sql<{ count: string }[]>`
            select count(*) from items where ${filterFragment(database.sql, query, columns())}`;
            assert.equal(Number(counted?.count), expected.length);
          }
        },
      ),
      runs,
    );
  });

  it('sort and fall apart into pages as they do in memory', async () => {
    const name = fc.constantFrom(...Object.keys(fields).filter((each) => each !== 'experiment_ids'));
    const orders = fc
      .uniqueArray(name, { maxLength: 3 })
      .chain((names) =>
        fc
          .tuple(...names.map((each) => fc.constantFrom(each, `${each} desc`)))
          .map((parts) => parts.join(', ')),
      );
    await fc.assert(
      fc.asyncProperty(
        someItems,
        orders,
        fc.integer({ min: 1, max: 4 }),
        async (items, orderBy, pageSize) => {
          await fill(items);
          let pageToken = '';
          do {
            const request = { orderBy, pageSize, pageToken };
            const expected = listInMemory(readListQuery(spec, request), items, (item) => item);
            const found = await ask(request);
            assert.deepEqual(
              found.ids,
              expected.items.map(({ id }) => id),
            );
            pageToken = found.nextPageToken;
            assert.equal(pageToken === '', expected.nextPageToken === '');
          } while (pageToken !== '');
        },
      ),
      runs,
    );
  });

  it('carry what a client wrote as parameters only', async () => {
    const { sql } = database;
    const evil = `'; drop table items; --`;
    const filter = `display_name in ["x${evil}"] OR note = "${evil}" OR experiment_ids:"${evil}" OR display_name:"${evil}"`;
    const query = readListQuery(spec, { filter, orderBy: 'note desc' });
    const { where, order, keys } = listFragments(sql, query, columns());
    const statement = await sql`select ${keys} from items where ${where} order by ${order}`.describe();
    assert.doesNotMatch(statement.string, /drop/);
    assert.match(statement.string, /\$1.*\$2/s);
    await sql`select 1 from items`;
  });

  it('page through an order by an index', async () => {
    const { sql } = database;
    await sql`truncate items`;
    await sql`
      insert into items select gen_random_uuid(), 'n' || i, null, i, null, true, now(), null, 'READY', '{}' from generate_series(1, 5000) i`;
    await sql`create index on items (size, (id::text collate "C"))`;
    await sql`analyze items`;
    const { nextPageToken: pageToken } = await ask({ orderBy: 'size', pageSize: 10 });
    const query = readListQuery(spec, { orderBy: 'size', pageSize: 10, pageToken });
    const { where, order, limit } = listFragments(sql, query, columns());
    const plan =
      await sql`explain (costs off) select id from items where ${where} order by ${order} limit ${limit}`;
    const text = plan.map((row) => String(row['QUERY PLAN'])).join('\n');
    assert.match(text, /Index Cond: .*size >= /s);
    assert.doesNotMatch(text, /Sort|Seq Scan/);
  });
});
