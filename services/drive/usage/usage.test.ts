import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { between, type Keys, startTestDrive, type TestDrive } from '../testing.ts';

const quota = 10_000;
const bucket = 'drive/people/ada/';

describe('the usage of a bucket', () => {
  let haic: TestDrive;
  let database: Database;
  let ada: Keys;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore, { quota });
    database = connectPostgres({ url: haic.databaseUrl, applicationName: 'test' });
    ada = await haic.keysOf('ada');
  });
  after(async () => {
    await database.close();
    await haic.stop();
  });
  const put = (name: string, bytes: number, keys = ada) =>
    haic.ask(keys, { method: 'PUT', path: `/_my/${name}`, body: Buffer.alloc(bytes) });
  const remove = (name: string) => haic.ask(ada, { method: 'DELETE', path: `/_my/${name}` });
  const usage = () => haic.drive.usage.usageOf(bucket);
  /** What is really there. */
  const truth = async () => {
    const { blobs } = await haic.blobs.list({ prefix: bucket, signal: AbortSignal.timeout(10_000) });
    return { bytes: blobs.reduce((sum, { size }) => sum + size, 0), objects: blobs.length, quota };
  };

  it('follows puts, replacements, copies and deletions', async () => {
    await put('a', 1000);
    await put('b', 500);
    await put('a', 300);
    await haic.ask(ada, {
      method: 'PUT',
      path: '/_my/c',
      body: '',
      headers: { 'x-amz-copy-source': '/_my/b' },
    });
    assert.deepEqual(await usage(), { bytes: 1300, objects: 3, quota });
    await remove('b');
    await remove('never');
    await haic.ask(ada, {
      method: 'POST',
      path: '/_my',
      query: { delete: '' },
      body: '<Delete><Object><Key>c</Key></Object><Object><Key>d</Key></Object></Delete>',
    });
    assert.deepEqual(await usage(), { bytes: 300, objects: 1, quota });
    await remove('a');
    assert.deepEqual(await usage(), { bytes: 0, objects: 0, quota });
  });

  it('is bounded: what does not fit is refused before its bytes, also when it is replaced, copied or comes in parts', async () => {
    await put('most', 9000);
    const refused = await put('more', 1001);
    assert.deepEqual([refused.status, refused.code], [403, 'QuotaExceeded']);
    assert.match(refused.text, /9000 are in use/);
    assert.equal((await put('most', 10_000)).status, 200, 'what is replaced makes room');
    assert.equal((await put('most', 10_001)).code, 'QuotaExceeded');
    const copy = await haic.ask(ada, {
      method: 'PUT',
      path: '/_my/copy',
      body: '',
      headers: { 'x-amz-copy-source': '/_my/most' },
    });
    assert.equal(copy.code, 'QuotaExceeded');
    await put('most', 8000);
    const made = await haic.ask(ada, { method: 'POST', path: '/_my/parts', query: { uploads: '' } });
    const uploadId = between(made.text, 'UploadId') ?? '';
    const part = (partNumber: number, bytes: number) =>
      haic.ask(ada, {
        method: 'PUT',
        path: '/_my/parts',
        query: { partNumber: String(partNumber), uploadId },
        body: Buffer.alloc(bytes),
      });
    assert.equal((await part(1, 1500)).status, 200);
    assert.equal((await part(2, 501)).code, 'QuotaExceeded');
    assert.equal((await part(1, 400)).status, 200, 'a part that is sent again replaces the one before');
    assert.equal((await usage()).bytes, 8400);
    await haic.ask(ada, { method: 'DELETE', path: '/_my/parts', query: { uploadId } });
    assert.deepEqual(await usage(), await truth());
    const bob = await haic.keysOf('bob');
    assert.equal((await put('own', 9000, bob)).status, 200, 'each has a quota of their own');
    await haic.drive.usage.setQuota(bucket, 20_000);
    assert.equal((await put('more', 12_000)).status, 200);
    await haic.drive.usage.setQuota(bucket, undefined);
    await remove('more');
    await remove('most');
  });

  it('is exact when many write, replace and delete the same keys at once, and the quota is never passed', async () => {
    const statuses = new Set<string>();
    const work = Array.from({ length: 80 }, async (_, i) => {
      const answer =
        i % 4 === 3 ? await remove(`k${i % 5}`) : await put(`k${i % 5}`, 100 + ((i * 397) % 4000));
      statuses.add(answer.code ?? String(answer.status));
    });
    await Promise.all(work);
    assert.deepEqual(
      [...statuses].filter((status) => !['200', '204', 'QuotaExceeded'].includes(status)),
      [],
    );
    const now = await usage();
    assert.deepEqual(now, await truth());
    assert.ok(now.bytes <= quota, `${now.bytes}`);
  });

  it('is exact while small writes draw on a lease, and one that is held without need is given back near the quota', async () => {
    const grace = 'drive/people/grace/';
    const keys = await haic.keysOf('grace');
    await haic.drive.usage.setQuota(grace, 512 * 1024 ** 2);
    await Promise.all(Array.from({ length: 30 }, (_, i) => put(`small${i % 10}`, 1000 + i, keys)));
    const held = () => database.sql<{ bytes: string; accounts: number }[]>`
      select bytes, accounts from drive.reservations where bucket = ${grace}`;
    const [lease, ...others] = await held();
    assert.deepEqual(others, []);
    assert.ok(Number(lease?.bytes) > 1024 ** 2, 'more than one write is set aside');
    assert.ok((lease?.accounts ?? 0) >= 1 && (lease?.accounts ?? 0) <= 30);
    const { bytes, objects } = await haic.drive.usage.usageOf(grace);
    assert.equal(objects, 10);
    const large = 2 * 1024 ** 2;
    await haic.drive.usage.setQuota(grace, bytes + large);
    assert.equal((await put('fits', large, keys)).status, 200, 'the lease is in nobody’s way');
    assert.equal((await put('more', 1, keys)).code, 'QuotaExceeded');
    assert.equal((await held()).length, 0);
  });

  it('is bounded by a quota that is lowered as soon as one small write has been accounted for', async () => {
    const kay = 'drive/people/kay/';
    const keys = await haic.keysOf('kay');
    await haic.drive.usage.setQuota(kay, 2048 * 1024 ** 2);
    await put('first', 1000, keys);
    await haic.drive.usage.setQuota(kay, 10_000);
    assert.equal((await put('under-way', 1000, keys)).status, 200, 'what was set aside is drawn once more');
    assert.equal((await haic.drive.usage.usageOf(kay)).bytes, 2000);
    assert.equal((await put('second', 20_000, keys)).code, 'QuotaExceeded');
    assert.equal((await put('small', 1000, keys)).status, 200, 'what fits still fits');
    assert.equal((await haic.drive.usage.usageOf(kay)).bytes, 3000);
  });

  it('is counted anew when the database has lost accounts that it had not on its disk yet', async () => {
    const dora = 'drive/people/dora/';
    const keys = await haic.keysOf('dora');
    await haic.drive.usage.setQuota(dora, 0);
    const used = async () => (await haic.drive.usage.usageOf(dora)).bytes;
    await put('kept', 700, keys);
    await put('lost', 30, keys);
    assert.equal(await used(), 730);
    await database.sql`update drive.reservations set accounts = accounts - 1 where bucket = ${dora}`;
    await database.sql`delete from drive.objects where bucket = ${dora} and bytes = 30`;
    await database.sql`update drive.usage set bytes = bytes - 30, objects = objects - 1 where bucket = ${dora}`;
    await put('after', 1, keys);
    assert.equal(await used(), 701);
    await haic.drive.sweep();
    assert.deepEqual(await haic.drive.usage.usageOf(dora), { bytes: 731, objects: 3, quota: 0 });
    const [left] = await database.sql`
      select count(*)::int as n from drive.reservations where bucket = ${dora}`;
    assert.equal(left?.n, 0);
  });

  it('is in the database a moment after a small write was acknowledged, while others are under way', async () => {
    const eve = 'drive/people/eve/';
    const keys = await haic.keysOf('eve');
    await haic.drive.usage.setQuota(eve, 0);
    const body = new PassThrough();
    const slow = haic.ask(keys, {
      method: 'PUT',
      path: '/_my/slow',
      body,
      headers: { 'content-length': '2' },
    });
    body.write('a');
    await put('quick', 500, keys);
    await until(
      async () => {
        const rows = await database.sql`select from drive.objects where bucket = ${eve} and bytes = 500`;
        return rows[0];
      },
      { everyMs: 5, signal: AbortSignal.timeout(10_000) },
    );
    body.end('b');
    assert.equal((await slow).status, 200);
  });

  it('is counted anew when the database went away between a small write and its account, which is acknowledged', async () => {
    const fay = 'drive/people/fay/';
    const keys = await haic.keysOf('fay');
    await haic.drive.usage.setQuota(fay, 0);
    await put('before', 500, keys);
    await haic.drive.usage.usageOf(fay);
    await database.sql`alter function drive.account_draws rename to away`;
    assert.equal((await put('meanwhile', 20, keys)).status, 200);
    assert.equal((await haic.drive.usage.usageOf(fay)).bytes, 500);
    await database.sql`alter function drive.away rename to account_draws`;
    await haic.drive.sweep();
    assert.deepEqual(await haic.drive.usage.usageOf(fay), { bytes: 520, objects: 2, quota: 0 });
  });

  it('is counted anew when a writer died between a write and its account', async () => {
    const dead = '00000000-0000-4000-8000-000000000001';
    const signal = AbortSignal.timeout(10_000);
    await database.sql`insert into drive.writers (id, seen_at) values (${dead}, now() - interval '1 hour')`;
    await database.sql`
      insert into drive.reservations (id, writer, bucket, bytes) values (gen_random_uuid(), ${dead}, ${bucket}, 5000)`;
    await haic.blobs.put(`${bucket}unaccounted`, Readable.from([Buffer.alloc(70)]), { signal });
    await haic.blobs.delete(`${bucket}k0`, { signal });
    await haic.blobs.put(`${bucket}k1`, Readable.from([Buffer.alloc(7)]), { signal });
    const upload = await haic.blobs.createUpload(`${bucket}half`, { signal });
    await haic.blobs.putPart(upload, 1, Readable.from([Buffer.alloc(11)]), { signal });
    await haic.drive.sweep();
    const { bytes, objects } = await truth();
    assert.deepEqual(await usage(), { bytes: bytes + 11, objects, quota });
    const [left] = await database.sql`
      select count(*)::int as n from drive.reservations where writer = ${dead}`;
    assert.equal(left?.n, 0, 'what the dead had set aside is free again');
    const [writers] = await database.sql`select count(*)::int as n from drive.writers`;
    assert.equal(writers?.n, 1);
  });
});
