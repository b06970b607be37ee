import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { PeopleDirectory } from './client.ts';
import { createDirectory } from './directory.ts';
import { createExternalDirectory } from './external/directory.ts';
import { identityMigrations } from './identity.ts';

const ids = Object.fromEntries(
  ['ada', 'bob', 'ci', 'gone'].map((name, at) => [name, `00000000-0000-4000-8000-00000000001${at}`]),
);

/** Ada and Bob, of whom Bob is in a group; a machine of Ada's; and somebody who is gone. */
const worlds: Readonly<Record<string, (database: Database) => Promise<PeopleDirectory>>> = {
  "Haic's own issuer": async (database) => {
    await database.sql`
      insert into identity.people (id, username, name, email, roles, groups, disabled) values
        (${ids.ada ?? ''}, 'ada', 'Ada Lovelace', 'ada@example.com', '{user}', '{}', false),
        (${ids.bob ?? ''}, 'bob', 'Bob', '', '{user}', '{red,blue}', false),
        (${ids.gone ?? ''}, 'gone', 'Gone', '', '{}', '{}', true)`;
    await database.sql`insert into identity.groups (name) values ('blue'), ('red')`;
    await database.sql`
      insert into identity.service_accounts (id, name, description, owner_id)
      values (${ids.ci ?? ''}, 'ci', '', ${ids.ada ?? ''})`;
    return createDirectory(database);
  },
  'an issuer of the organisation': async (database) => {
    await database.sql`
      insert into identity.seen_people (subject, username, name, email, roles, groups, seen_at) values
        (${ids.ada ?? ''}, 'ada', 'Ada Lovelace', 'ada@example.com', '{user}', '{}', now()),
        (${ids.bob ?? ''}, 'bob', 'Bob', '', '{user}', '{red,blue}', now() - interval '29 days'),
        (${ids.ci ?? ''}, 'ci', 'ci', '', '{}', '{}', now()),
        (${ids.gone ?? ''}, 'gone', 'Gone', '', '{}', '{}', now() - interval '31 days')`;
    return createExternalDirectory(database, { of: async () => new Map() });
  },
};

describe('whom an issuer of the organisation says to be gone', () => {
  it('is, however lately they were seen, and who is not is not, however long ago', async () => {
    const { database, stop } = await startTestDatabase();
    await migrate(database, identityMigrations);
    await worlds['an issuer of the organisation']?.(database);
    const said = new Map([
      [ids.ada ?? '', 'ended'],
      [ids.gone ?? '', 'active'],
    ] as const);
    const directory = createExternalDirectory(database, { of: async () => said });
    assert.deepEqual(await directory.goneAmong([ids.ada ?? '', ids.gone ?? '', ids.ci ?? '']), [ids.ada]);
    const [ada] = await directory.findPeople([ids.ada ?? '']);
    assert.equal(ada?.disabled, true);
    await stop();
  });
});

for (const [world, fill] of Object.entries(worlds))
  describe(`whom one can share with, at ${world}`, () => {
    let directory: PeopleDirectory;
    let stop: () => Promise<void>;
    before(async () => {
      const started = await startTestDatabase();
      stop = started.stop;
      await migrate(started.database, identityMigrations);
      directory = await fill(started.database);
    });
    after(() => stop());

    it('is found by subject, people and machines alike, and by nothing else', async () => {
      const wanted = [ids.ada ?? '', ids.ci ?? '', 'nobody', "' or true --"];
      const found = await directory.findPeople(wanted);
      assert.deepEqual(found.map(({ username }) => username).sort(), ['ada', 'ci']);
      const [ada] = await directory.findPeople([ids.ada ?? '']);
      assert.deepEqual(ada, {
        ...{ subject: ids.ada, username: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' },
        ...{ roles: ['user'], groups: [], disabled: false },
      });
    });

    it('is listed by name in pages, by part of a name in any case', async () => {
      const names = async (text: string) =>
        (await directory.listPeople({ text, after: undefined, limit: 9 })).map(({ username }) => username);
      assert.deepEqual(await names(''), ['ada', 'bob', 'ci', 'gone']);
      assert.deepEqual(await names('LOVE'), ['ada']);
      assert.deepEqual(await names('%'), []);
      const after = { username: 'bob', subject: ids.bob ?? '' };
      const next = await directory.listPeople({ text: '', after, limit: 1 });
      assert.deepEqual(
        next.map(({ username }) => username),
        ['ci'],
      );
    });

    it('is a group too, if there is one of that very name', async () => {
      assert.deepEqual(await directory.listGroups({ text: '', after: undefined, limit: 9 }), ['blue', 'red']);
      assert.deepEqual(await directory.listGroups({ text: 'RE', after: 'blue', limit: 1 }), ['red']);
      assert.deepEqual([await directory.hasGroup('red'), await directory.hasGroup('Red')], [true, false]);
    });

    it('is gone when disabled, unknown, or not seen for a month where nobody says more', async () => {
      const all = [ids.ada ?? '', ids.bob ?? '', ids.ci ?? '', ids.gone ?? '', 'nobody'];
      assert.deepEqual(await directory.goneAmong(all), [ids.gone, 'nobody']);
      assert.deepEqual(await directory.goneAmong([]), []);
    });
  });
