import assert from 'node:assert/strict';
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { type Haic, startHaic } from '../../test/support/haic.ts';

describe('a PostgreSQL of one’s own', () => {
  let external: Awaited<ReturnType<typeof startTestDatabase>>;
  let haic: Haic;

  before(async () => {
    external = await startTestDatabase();
    haic = await startHaic({ HAIC_DATABASE_URL: external.url });
  });
  after(async () => {
    await haic?.stop();
    await external?.stop();
  });

  it('holds everything, and no other is started', async () => {
    await haic.addUser('ada');
    const people = await external.database.sql`select 1 from identity.people where username = 'ada'`;
    assert.equal(people.length, 1);
    await assert.rejects(access(path.join(haic.home, 'postgres/data')));
  });

  it('is not given a new master key in place of a lost one', async () => {
    await haic.run(['down']);
    await rm(path.join(haic.home, 'secrets/master-key'));
    const refused = await haic.cli(['up', '--detach']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /master-key is gone.*Restore the file from a backup/s);
  });
});
