import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { unlessBackedUp } from './backup-lock.ts';
import { load, type SchemaCopy, whyNotLoadable, withSnapshot } from './dump.ts';
import type { Database, Migrations } from './port.ts';
import { migrate } from './postgres.ts';
import { startTestDatabase } from './testing.ts';

const never = new AbortController().signal;

const first = `
  create table parent (id int primary key, above int references parent (id), bytes bytea, words text[], made timestamptz default now());
  create table child (id int generated always as identity primary key, parent int not null references parent (id),
    twice int generated always as (parent * 2) stored, said text not null);
  insert into parent (id) values (99);
  create table heard (what text);
  create function tell() returns trigger language plpgsql as $$ begin insert into things.heard values (new.said); return null; end $$;
  create trigger told after insert on child for each row execute function tell();`;

describe('a copy of a database', () => {
  let directory: string;
  let known: Migrations[];
  let source: Awaited<ReturnType<typeof startTestDatabase>>;
  const targets: Awaited<ReturnType<typeof startTestDatabase>>[] = [];

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-dump-'));
    known = [{ schema: 'things', directory }];
    await writeFile(path.join(directory, '0001-first.sql'), first);
    source = await startTestDatabase();
    await migrate(source.database, { schema: 'things', directory });
    const { sql } = source.database;
    await sql`delete from things.parent`;
    await sql`insert into things.parent (id, above, bytes, words)
      values (2, null, ${Buffer.from([0, 9, 10, 92, 255])}, ${['tab\there', 'back\\slash', 'line\nbreak', '\\.']})`;
    await sql`insert into things.parent (id, above) values (1, 2)`;
    await sql`insert into things.child (parent, said) select 1, 'number ' || n from generate_series(1, 20000) n`;
    await sql`delete from things.heard`;
  });
  after(async () => {
    for (const target of targets) await target.stop();
    await source?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const target = async (): Promise<{ database: Database; url: string }> => {
    const made = await startTestDatabase();
    targets.push(made);
    return made;
  };
  /** The copy whole in memory; what reads rows later reads them of the same instant. */
  const copy = (meanwhile: () => Promise<void> = async () => {}) =>
    withSnapshot(source.url, known, never, async ({ schemas, rows }) => {
      await meanwhile();
      const parts = new Map<string, Buffer[]>();
      for (const { schema, tables } of schemas)
        for (const table of tables)
          parts.set(`${schema}.${table.name}`, (await (await rows(schema, table)).toArray()) as Buffer[]);
      return { schemas, parts };
    });
  const loadInto = (
    url: string,
    { schemas, parts }: { schemas: readonly SchemaCopy[]; parts: Map<string, Buffer[]> },
    afterwards = async () => {},
  ) =>
    load(url, schemas, known, {
      rows: async (loading) => {
        for (const [name, chunks] of parts)
          await loading.rows(
            'things',
            name.split('.')[1] ?? '',
            (async function* () {
              yield* chunks;
            })(),
          );
      },
      after: afterwards,
    });
  const allOf = async ({ sql }: Database) => ({
    parents: await sql`select id, above, bytes, words, made from things.parent order by id`,
    children: await sql`select id, parent, twice, said from things.child order by id`,
  });

  it('waits for nobody when it was cancelled before it began', async () => {
    const cancelled = AbortSignal.abort(new Error('Cancelled.'));
    await source.database.transaction(async (sql) => {
      // As while blobs are removed: a copy waits for its end.
      await sql`select pg_advisory_xact_lock_shared(4811014)`;
      await assert.rejects(
        withSnapshot(source.url, known, cancelled, async () => {}),
        /Cancelled/,
      );
    });
  });

  it('has every row and value, whatever the order of its references, and fires no trigger', async () => {
    const { database, url } = await target();
    await loadInto(url, await copy());
    assert.deepEqual(await allOf(database), await allOf(source.database));
    assert.equal((await database.sql`select * from things.heard`).length, 0);
    await database.sql`insert into things.child (parent, said) values (2, 'next')`;
    const [next] = await database.sql`select id, said from things.child order by id desc limit 1`;
    assert.deepEqual(next, { id: 20001, said: 'next' }, 'the sequence goes on');
    assert.equal((await database.sql`select * from things.heard`).length, 1, 'triggers work again');
    await assert.rejects(
      database.sql`insert into things.child (parent, said) values (77, '')`,
      /foreign key/,
    );
  });

  it('is of one instant, although rows come while it is read', async () => {
    const before = (await allOf(source.database)).children.length;
    const { parts } = await copy(async () => {
      await source.database.sql`insert into things.child (parent, said) values (1, 'late')`;
    });
    const rows = Buffer.concat(parts.get('things.child') ?? [])
      .toString()
      .trimEnd()
      .split('\n');
    assert.equal(rows.length, before);
  });

  it('keeps whoever removes blobs from doing so until it is made', async () => {
    let removed = 0;
    const remove = () =>
      unlessBackedUp(source.database, async () => {
        removed += 1;
      });
    await copy(async () => assert.equal(await remove(), false));
    assert.equal(await remove(), true);
    assert.equal(removed, 1);
  });

  it('of an older state is loaded at that state and then brought up to date', async () => {
    const old = await copy();
    await writeFile(
      path.join(directory, '0002-second.sql'),
      `alter table child add loud text; update child set loud = upper(said);`,
    );
    const { database, url } = await target();
    await loadInto(url, old);
    const [row] = await database.sql`select loud from things.child where said = 'number 7'`;
    assert.equal(row?.loud, 'NUMBER 7');
    assert.deepEqual(await migrate(database, { schema: 'things', directory }), []);
  });

  it('is loaded whole or not at all', async () => {
    const { database, url } = await target();
    const failing = loadInto(url, await copy(), async () => {
      throw new Error('the disk is full');
    });
    await assert.rejects(failing, /the disk is full/);
    assert.equal((await database.sql`select 1 from pg_namespace where nspname = 'things'`).length, 0);
  });

  it('of a newer state, or of another text of a migration, is refused with what to do', async () => {
    const { schemas } = await copy();
    const of = (name: string, hash: string) =>
      whyNotLoadable(
        schemas.map((each) => ({ ...each, migrations: [{ name, hash }] })),
        known,
      );
    assert.match(
      (await of('0009-tomorrow.sql', 'x')) ?? '',
      /newer Haic than this one: it has things\/0009-tomorrow/,
    );
    assert.match((await of('0001-first.sql', 'x')) ?? '', /things\/0001-first\.sql is another text/);
    assert.equal(await whyNotLoadable(schemas, known), undefined);
  });
});
