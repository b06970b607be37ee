import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { startTestOcean, type TestOcean } from './testing.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe('what becomes of objects when who had them ends', () => {
  let at: TestOcean;
  /** How many deletions succeed before the process "dies"; undefined for all of them. */
  let dies: number | undefined;
  const mortal = async (options: { directory: string; etags: 'md5' }): Promise<BlobStore> => {
    const store = await createFilesystemBlobStore(options);
    return {
      ...store,
      delete: async (...given) => {
        if (dies !== undefined && dies <= 0) throw new Error('killed');
        if (dies !== undefined) dies -= 1;
        return store.delete(...given);
      },
    };
  };
  before(async () => {
    at = await startTestOcean(mortal);
    at.roles.set('ada w1', 'owner').set('ada w2', 'owner');
  });
  after(() => at.stop());

  const signal = () => AbortSignal.timeout(30_000);
  const keysUnder = async (prefix: string) =>
    (await at.blobs.list({ prefix, limit: 1000, signal: signal() })).blobs.map(({ key }) => key);
  const uploadsUnder = async (prefix: string) =>
    (await at.blobs.listUploads({ prefix, signal: signal() })).uploads.length;
  const accountsOf = async (prefix: string) => {
    const { sql } = at.database;
    const rows = await sql<{ bucket: string }[]>`
      select bucket from drive.usage where bucket in (${prefix}, ${prefix.replace('drive/', 'drive/trash/')})
      union select bucket from drive.parts where bucket = ${prefix}
      union select bucket from drive.objects where bucket = ${prefix}
      union select bucket from drive.shares where bucket = ${prefix}
      union select bucket from ocean.trash where bucket = ${prefix}`;
    return rows.map(({ bucket }) => bucket).sort();
  };
  /** Objects, a link to one, one in the trash, and a part of an upload that nobody completes. */
  async function fill(who: string, bucket: string): Promise<void> {
    for (const key of ['a.txt', 'deep/b.txt', 'deep/c.txt', 'gone.txt']) await at.put(who, bucket, key, key);
    const link = { key: 'a.txt', expiresInSeconds: 3600 };
    assert.equal((await at.api(who, 'POST', `/buckets/${bucket}/shares`, link)).status, 201);
    const remove = { kind: 'DELETE', bucket, keys: ['gone.txt'] };
    assert.equal((await at.api(who, 'POST', '/operations', remove)).json.state, 'SUCCEEDED');
    const file = { key: 'large.bin', size: 20 * 1024 ** 2, modifiedAt: 1 };
    const { json } = await at.api(who, 'POST', `/buckets/${bucket}/uploads`, file);
    const of = { bucket: (await at.drive.buckets.list(sessionOf(who))).find(({ name }) => name === bucket) };
    assert.ok(of.bucket);
    const part = { size: 4, md5: undefined, open: () => Readable.from([Buffer.from('part')]) };
    const upload = { bucket: of.bucket, key: file.key, uploadId: json.uploadId };
    await at.drive.objects.putPart(upload, 1, part, { signal: signal() });
  }
  const sessionOf = (subject: string) => ({
    ...{ subject, username: subject, roles: ['user'], groups: [], party: 'haic-portal' },
    ...{ partyKind: 'portal' as const, instanceId: undefined, signIn: undefined, issuedAt: 0, expiresAt: 0 },
  });

  it('a deleted workspace keeps its own until it is purged; a purge that is killed goes on where it was', async () => {
    await fill('ada', 'w1');
    await at.put('ada', 'w2', 'other.txt', 'stays');
    const { contents } = at.ocean;
    await contents.whenDeleted('workspaces/w1');
    await contents.whenRestored('workspaces/w1');
    assert.equal((await keysUnder('drive/workspaces/w1/')).length, 3);
    dies = 2;
    await assert.rejects(contents.purge('workspaces/w1'), /killed/);
    dies = undefined;
    assert.equal((await keysUnder('drive/workspaces/w1/')).length, 1);
    assert.equal(
      (await at.drive.usage.usageOf('drive/workspaces/w1/')).objects,
      1,
      'and its account says so',
    );
    await contents.purge('workspaces/w1');
    assert.deepEqual(await keysUnder('drive/workspaces/w1/'), []);
    assert.deepEqual(await keysUnder('drive/trash/workspaces/w1/'), []);
    assert.equal(await uploadsUnder('drive/workspaces/w1/'), 0);
    assert.deepEqual(await accountsOf('drive/workspaces/w1/'), []);
    // Told again, as after a crash before it was noted.
    await contents.purge('workspaces/w1');
    assert.deepEqual(await keysUnder('drive/workspaces/w2/'), ['drive/workspaces/w2/other.txt']);
  });

  it('of somebody who was removed an administrator sees how much is kept, and hands it over to somebody', async () => {
    await fill('rob', '_my');
    at.gone.add('rob');
    await at.ocean.formerPeople.whenPersonEnds('rob', 'robert');
    const { json, status } = await at.api('admin', 'GET', '/former-people');
    assert.equal(status, 200, JSON.stringify(json));
    const [kept] = json.items;
    assert.deepEqual(
      [kept.subject, kept.username, kept.usage.objects, Date.parse(kept.purgeAt) - Date.parse(kept.endedAt)],
      ['rob', 'robert', 3, 30 * dayMs],
    );
    const refused = await at.api('ada', 'GET', '/former-people');
    assert.deepEqual([refused.status, refused.json.code], [403, 'administrators_only']);
    const give = (who: string, subject: string, to: string) =>
      at.api(who, 'POST', `/former-people/${subject}/hand-over`, { to });
    assert.equal((await give('ada', 'rob', 'ada!')).status, 403);
    assert.equal((await give('admin', 'ada', 'admin!')).status, 404, 'she is not gone');
    at.ended.add('dis');
    for (const to of ['rob!', 'dis!'])
      assert.equal((await give('admin', 'rob', to)).json.code, 'unsuitable_owner', to);
    const given = await give('admin', 'rob', 'ada!');
    assert.deepEqual([given.status, given.json.state, given.json.done], [200, 'SUCCEEDED', 3]);
    assert.deepEqual(await at.names('ada', '_my', 'from robert/'), [
      'from robert/a.txt',
      'from robert/deep/',
    ]);
    assert.deepEqual(await keysUnder('drive/people/rob/'), []);
  });

  it('a hand-over that fails is told in the list, to every administrator and for days, until it is done again', async () => {
    await at.put('lea', '_my', 'a.txt', 'a');
    at.gone.add('lea');
    await at.ocean.formerPeople.whenPersonEnds('lea', 'lea');
    const kept = async () => (await at.api('admin', 'GET', '/former-people?query=lea')).json.items[0];
    assert.equal((await kept()).operation, null);
    dies = 0;
    const given = await at.api('admin', 'POST', '/former-people/lea/hand-over', { to: 'ada!' });
    dies = undefined;
    assert.equal(given.json.state, 'FAILED');
    const { operation } = await kept();
    assert.deepEqual(operation, given.json);
    assert.equal(operation.failures[0].message, 'Something went wrong inside Haic.');
    await at.api('admin', 'POST', '/former-people/lea/hand-over', { to: 'ada!' });
    assert.equal(await kept(), undefined);
  });

  it('what nobody was given is removed after thirty days, and not of who is only disabled, or came back', async () => {
    for (const who of ['off', 'back', 'late']) await fill(who, '_my');
    at.ended.add('off');
    for (const who of ['back', 'late']) at.gone.add(who);
    await at.ocean.formerPeople.whenPersonEnds('off', 'off');
    // Of `late` nobody was told: the platform died in between.
    await at.ocean.formerPeople.whenPersonEnds('back', 'back');
    await at.ocean.formerPeople.sweep();
    const subjects = async () =>
      (await at.api('admin', 'GET', '/former-people')).json.items.map(
        ({ subject }: { subject: string }) => subject,
      );
    assert.deepEqual((await subjects()).sort(), ['back', 'late', 'rob']);
    at.gone.delete('back');
    at.clock.aheadMs = 29 * dayMs;
    await at.ocean.formerPeople.sweep();
    assert.equal((await keysUnder('drive/people/late/')).length, 3);
    at.clock.aheadMs = 31 * dayMs;
    dies = 1;
    await at.ocean.formerPeople.sweep();
    dies = undefined;
    assert.deepEqual(await subjects(), ['late'], 'it was killed in the middle, and is tried again');
    await at.ocean.formerPeople.sweep();
    assert.deepEqual(await subjects(), []);
    for (const who of ['late', 'rob']) assert.deepEqual(await accountsOf(`drive/people/${who}/`), [], who);
    assert.deepEqual(await keysUnder('drive/trash/people/late/'), []);
    for (const who of ['off', 'back']) assert.equal((await keysUnder(`drive/people/${who}/`)).length, 3, who);
    // What was written last may not be accounted for yet.
    at.gone.add('quick');
    await at.blobs.put('drive/people/quick/a.txt', Readable.from(['a']), { signal: signal() });
    await at.ocean.formerPeople.whenPersonEnds('quick', 'quick');
    assert.deepEqual(await subjects(), ['quick']);
    assert.equal((await at.api('admin', 'POST', '/former-people/quick/purge')).json.state, 'SUCCEEDED');
    // Who left nothing is not noted at all.
    at.gone.add('nobody');
    await at.ocean.formerPeople.whenPersonEnds('nobody', 'nobody');
    assert.deepEqual(await subjects(), []);
  });

  it('an administrator finds somebody by a part of their name, and purges before the time what nobody wants', async () => {
    for (const who of ['zoe', 'Zack', 'yan']) {
      await fill(who, '_my');
      at.gone.add(who);
      await at.ocean.formerPeople.whenPersonEnds(who, who);
    }
    const found = async (query: string) =>
      (await at.api('admin', 'GET', `/former-people?query=${query}`)).json.items;
    assert.deepEqual((await found('Z')).map(({ subject }: { subject: string }) => subject).sort(), [
      'Zack',
      'zoe',
    ]);
    assert.equal((await found('%25')).length, 0, 'a sign of patterns is a letter like others');
    assert.equal((await found('zoe'))[0].trash.objects, 1);
    const nul = Buffer.from(JSON.stringify([new Date(0).toISOString(), '\0'])).toString('base64url');
    for (const query of ['query=%00', `pageToken=${nul}`])
      assert.equal((await at.api('admin', 'GET', `/former-people?${query}`)).status, 400, query);
    assert.equal((await at.api('admin', 'POST', '/former-people/zoe/hand-over', { to: '\0' })).status, 400);
    const purge = (who: string, subject: string) => at.api(who, 'POST', `/former-people/${subject}/purge`);
    assert.equal((await purge('ada', 'zoe')).status, 403);
    assert.equal((await purge('admin', 'ada')).status, 404, 'she is not gone');
    const { json } = await purge('admin', 'zoe');
    assert.deepEqual([json.state, json.done], ['SUCCEEDED', 3]);
    assert.deepEqual(await accountsOf('drive/people/zoe/'), []);
    assert.deepEqual(await keysUnder('drive/trash/people/zoe/'), []);
    assert.equal((await purge('admin', 'zoe')).status, 404, 'nothing is left');
    // He came back, and has everything: nobody takes it from him.
    at.gone.delete('yan');
    assert.equal((await purge('admin', 'yan')).status, 404);
    assert.equal((await at.api('admin', 'POST', '/former-people/yan/hand-over', { to: 'ada!' })).status, 404);
    assert.equal((await keysUnder('drive/people/yan/')).length, 3);
    assert.deepEqual(await found('yan'), []);
  });

  it('who left nothing in the trash is forgotten when all was handed over', async () => {
    await at.put('kim', '_my', 'a.txt', 'a');
    at.gone.add('kim');
    await at.ocean.formerPeople.whenPersonEnds('kim', 'kim');
    const given = await at.api('admin', 'POST', '/former-people/kim/hand-over', { to: 'ada!' });
    assert.equal(given.json.state, 'SUCCEEDED');
    assert.deepEqual((await at.api('admin', 'GET', '/former-people?query=kim')).json.items, []);
  });
});
