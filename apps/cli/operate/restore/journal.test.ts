import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { load } from '@haic/platform/database/dump.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { type Installation, installationAt } from '@haic/server/installation.ts';
import { hasRestoreMark, markRestore } from './database.ts';
import { type Journal, settleRestore, stagingOf, writeJournal } from './journal.ts';

const names = ['secrets', 'postgres', 'blobs', 'runtime', 'volumes'] as const;
const journal: Journal = { id: 'the-one', aside: 'before-restore-1', databaseDecides: false };

describe('a restore that was cut off', () => {
  let directory: string;
  let at: Installation;
  let number = 0;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-journal-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    number += 1;
    at = installationAt(path.join(directory, String(number)), directory);
    for (const name of names) {
      await put(path.join(at.home, name), 'old');
      await put(path.join(stagingOf(at).home, name), 'new');
    }
  });
  const put = async (folder: string, text: string) => {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'what'), text);
  };
  const whatIs = async (home: string) =>
    Promise.all(names.map((name) => readFile(path.join(home, name, 'what'), 'utf8').catch(() => 'nothing')));
  const all = (text: string) => names.map(() => text);
  const isThere = (file: string) =>
    access(file).then(
      () => true,
      () => false,
    );
  const asideOf = (home: string) => path.join(home, journal.aside);

  it('before it was decided: the old state is as it was, and nothing else is left', async () => {
    assert.equal(await settleRestore(at, {}), 'undone');
    assert.deepEqual(await whatIs(at.home), all('old'));
    assert.deepEqual((await readdir(at.home)).sort(), [...names].sort());
    assert.equal(await settleRestore(at, {}), 'nothing');
  });

  it('after each of its moves: the rest is moved, the old is kept aside', async () => {
    // Two renames for each folder: aside, and into place.
    for (let moves = 0; moves <= names.length * 2; moves += 1) {
      const home = path.join(directory, `moves-${moves}`);
      const there = installationAt(home, directory);
      for (const name of names) {
        await put(path.join(home, name), 'old');
        await put(path.join(stagingOf(there).home, name), 'new');
      }
      await writeJournal(there, journal);
      await mkdir(asideOf(home));
      const renames = names.flatMap((name) => [
        [path.join(home, name), path.join(asideOf(home), name)] as const,
        [path.join(stagingOf(there).home, name), path.join(home, name)] as const,
      ]);
      for (const [from, to] of renames.slice(0, moves)) await rename(from, to);
      assert.equal(await settleRestore(there, {}), 'completed', `after ${moves} moves`);
      assert.deepEqual(await whatIs(home), all('new'), `after ${moves} moves`);
      assert.deepEqual(await whatIs(asideOf(home)), all('old'), `after ${moves} moves`);
      assert.equal(await isThere(stagingOf(there).home), false);
    }
  });

  it('into an empty place leaves no empty folder beside', async () => {
    for (const name of names) await rm(path.join(at.home, name), { recursive: true });
    await writeJournal(at, journal);
    assert.equal(await settleRestore(at, {}), 'completed');
    assert.deepEqual((await readdir(at.home)).sort(), [...names].sort());
  });

  it('with a PostgreSQL of one’s own: its mark decides, and without its address nothing is', async () => {
    const { url, stop } = await startTestDatabase();
    try {
      await writeJournal(at, { ...journal, databaseDecides: true });
      await assert.rejects(settleRestore(at, {}), /Set HAIC_DATABASE_URL/);
      assert.deepEqual(await whatIs(at.home), all('old'));
      await load(url, [], [], { rows: async () => {}, after: (sql) => markRestore(sql, journal.id) });
      assert.equal(await hasRestoreMark(url, 'another'), false);
      assert.equal(await settleRestore(at, { databaseUrl: url }), 'completed');
      assert.deepEqual(await whatIs(at.home), all('new'));
      assert.equal(await hasRestoreMark(url, journal.id), false, 'the mark has done its work');

      const next = installationAt(path.join(directory, 'unmarked'), directory);
      for (const name of names) await put(path.join(stagingOf(next).home, name), 'new');
      await writeJournal(next, { ...journal, databaseDecides: true });
      assert.equal(await settleRestore(next, { databaseUrl: url }), 'undone');
      assert.deepEqual(await readdir(next.home), []);
    } finally {
      await stop();
    }
  });
});
