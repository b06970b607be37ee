import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { startTestOcean, type TestOcean } from './testing.ts';

const mebibyte = 1024 ** 2;

async function settled(at: TestOcean, who: string, operation: { id: string; state: string }) {
  for (let i = 0; i < 600; i += 1) {
    const { json } = await at.api(who, 'GET', `/operations/${operation.id}`);
    if (json.state !== 'RUNNING') return json;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('The operation did not end.');
}

describe('the API of the Drive page', () => {
  let at: TestOcean;
  before(async () => {
    at = await startTestOcean(createFilesystemBlobStore);
    at.roles.set('ada w1', 'owner').set('bob w1', 'viewer');
  });
  after(() => at.stop());
  const operate = async (who: string, body: object) => {
    const { status, json } = await at.api(who, 'POST', '/operations', body);
    assert.equal(status, 200, JSON.stringify(json));
    return settled(at, who, json);
  };

  it('lists the buckets that one may use, with what is in them', async () => {
    await at.put('ada', '_my', 'lists/a.txt', 'hello');
    const { json } = await at.api('ada', 'GET', '/buckets');
    assert.deepEqual(
      json.items.map((bucket: { name: string; kind: string; canWrite: boolean }) => [
        ...[bucket.name, bucket.kind, bucket.canWrite],
      ]),
      [
        ['_my', 'OWN', true],
        ['w1', 'WORKSPACE', true],
      ],
    );
    assert.equal(json.items[0].usage.objects >= 1, true);
    const first = await at.api('ada', 'GET', '/buckets?pageSize=1');
    const second = await at.api('ada', 'GET', `/buckets?pageSize=1&pageToken=${first.json.nextPageToken}`);
    assert.deepEqual([first.json.items[0].name, second.json.items[0].name], ['_my', 'w1']);
  });

  it('shows one level of folders, a page at a time, and finds names', async () => {
    for (const key of ['l/b/1.txt', 'l/b/2.txt', 'l/a.txt', 'l/Report.csv', 'l/c.txt', 'lx'])
      await at.put('ada', '_my', key, key);
    assert.deepEqual(await at.names('ada', '_my', 'l/'), ['l/Report.csv', 'l/a.txt', 'l/b/', 'l/c.txt']);
    const seen: string[] = [];
    let token = '';
    do {
      const { json } = await at.api(
        'ada',
        'GET',
        `/buckets/_my/entries?prefix=l/&pageSize=1&pageToken=${token}`,
      );
      seen.push(...json.items.map(({ name }: { name: string }) => name));
      token = json.nextPageToken ?? '';
    } while (token !== '');
    assert.deepEqual(seen, ['Report.csv', 'a.txt', 'b', 'c.txt']);
    const found = await at.api('ada', 'GET', '/buckets/_my/entries?prefix=l/&query=REPORT');
    assert.deepEqual(
      found.json.items.map(({ key }: { key: string }) => key),
      ['l/Report.csv'],
    );
    assert.deepEqual(found.json.nextPageToken, undefined);
  });

  it('lets a viewer of a workspace read, and tells others nothing of it', async () => {
    await at.put('ada', 'w1', 'shared.txt', 'ours');
    assert.deepEqual(await at.names('bob', 'w1'), ['shared.txt']);
    const refused = await at.api('bob', 'POST', '/buckets/w1/folders', { key: 'mine/' });
    assert.deepEqual([refused.status, refused.json.code], [403, 'drive_read_only']);
    const deleted = await at.api('bob', 'POST', '/operations', {
      ...{ kind: 'DELETE', bucket: 'w1', keys: ['shared.txt'] },
    });
    assert.equal(deleted.status, 403);
    for (const address of ['/buckets/w1', '/buckets/w1/entries', '/buckets/w1/address?key=shared.txt'])
      assert.equal((await at.api('eve', 'GET', address)).status, 404, address);
    // One's own bucket is one's own: by the same name everybody has another.
    assert.deepEqual(await at.names('eve', '_my'), []);
    const taken = await at.api('eve', 'POST', '/operations', {
      ...{ kind: 'COPY', bucket: 'w1', keys: ['shared.txt'], target: { bucket: '_my', into: '' } },
    });
    assert.equal(taken.status, 404);
  });

  it('makes folders, and none twice', async () => {
    const made = await at.api('ada', 'POST', '/buckets/_my/folders', { key: 'made/inner/' });
    assert.deepEqual([made.status, made.json.kind, made.json.name], [201, 'FOLDER', 'inner']);
    assert.deepEqual(await at.names('ada', '_my', 'made/'), ['made/inner/']);
    assert.deepEqual(await at.names('ada', '_my', 'made/inner/'), []);
    const again = await at.api('ada', 'POST', '/buckets/_my/folders', { key: 'made/inner/' });
    assert.deepEqual([again.status, again.json.code], [409, 'object_exists']);
    for (const key of ['no-slash', '/', 'a//b/', '../', 'a/../b/', './', `${'x'.repeat(1023)}/é/`])
      assert.equal((await at.api('ada', 'POST', '/buckets/_my/folders', { key })).status, 400, key);
  });

  it('gives addresses to put and get whole files, which are kept as they were sent', async () => {
    const file = { key: 'up/größe & co +%.txt', size: 5, modifiedAt: 1, contentType: 'text/plain' };
    const begun = await at.api('ada', 'POST', '/buckets/_my/uploads', file);
    assert.equal(begun.status, 200, JSON.stringify(begun.json));
    const put = await fetch(begun.json.address.url, {
      ...{ method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } },
    });
    assert.equal(put.status, 200, await put.text());
    const query = new URLSearchParams({ key: file.key });
    const { json } = await at.api('ada', 'GET', `/buckets/_my/address?${query}`);
    assert.deepEqual([json.size, json.contentType], [5, 'text/plain']);
    const got = await fetch(json.url, { headers: { range: 'bytes=1-3' } });
    assert.deepEqual([got.status, await got.text()], [206, 'ell']);
    assert.match(got.headers.get('content-disposition') ?? '', /^attachment; .*gr%C3%B6%C3%9Fe%20%26%20co/);
    assert.equal(got.headers.get('content-security-policy'), 'sandbox');
    const again = await at.api('ada', 'POST', '/buckets/_my/uploads', file);
    assert.deepEqual([again.status, again.json.code], [409, 'object_exists']);
    const both = await at.api('ada', 'POST', '/buckets/_my/uploads', { ...file, collision: 'KEEP_BOTH' });
    assert.equal(both.json.key, 'up/größe & co +% (1).txt');
  });

  it('has Drive tell no second time of what an address was given for, and of who follows a link', async () => {
    await at.put('ada', '_my', 'told.txt', 'told');
    const address = await at.api('ada', 'GET', '/buckets/_my/address?key=told.txt');
    assert.equal((await fetch(address.json.url)).status, 200);
    const link = { key: 'told.txt', expiresInSeconds: 60 };
    const shared = await at.api('ada', 'POST', '/buckets/_my/shares', link);
    assert.equal((await fetch(shared.json.url)).status, 200);
    const { items } = (await at.api('ada', 'GET', '/buckets/_my/shares')).json;
    const id = items.find(({ key }: { key: string }) => key === 'told.txt').id;
    assert.deepEqual(
      at.heard
        .filter(({ requestParameters }) => requestParameters?.key === 'told.txt')
        .map(({ action, principal, metadata }) => [action, principal, metadata?.share, metadata?.shared_by]),
      [['actions/drive/objects/GET', 'users/unknown', id, 'ada']],
    );
  });

  it('goes on with an upload in parts where it was broken off, and completes it when all is there', async () => {
    const size = 20 * mebibyte;
    const file = { key: 'up/large.bin', size, modifiedAt: 77 };
    const { json: begun } = await at.api('ada', 'POST', '/buckets/_my/uploads', file);
    assert.equal(begun.address, null);
    const parts = [8 * mebibyte, 8 * mebibyte, 4 * mebibyte].map((length, i) => Buffer.alloc(length, i + 1));
    const at_ = `/buckets/_my/uploads/${begun.uploadId}`;
    const send = async (partNumber: number) => {
      const { json } = await at.api('ada', 'POST', `${at_}/addresses`, {
        ...{ key: file.key, partNumbers: [partNumber] },
      });
      const body = new Uint8Array(parts[partNumber - 1] ?? []);
      const put = await fetch(json.items[0].url, { method: 'PUT', body });
      assert.equal(put.status, 200, await put.text());
    };
    await send(1);
    await send(3);
    const early = await at.api('ada', 'POST', `${at_}/complete`, { key: file.key });
    assert.deepEqual([early.status, early.json.code], [409, 'upload_incomplete']);
    const { json: resumed } = await at.api('ada', 'POST', '/buckets/_my/uploads', file);
    assert.equal(resumed.uploadId, begun.uploadId);
    assert.deepEqual(
      resumed.parts.map((part: { partNumber: number }) => part.partNumber),
      [1, 3],
    );
    const { json: other } = await at.api('ada', 'POST', '/buckets/_my/uploads', { ...file, modifiedAt: 78 });
    assert.notEqual(other.uploadId, begun.uploadId, 'a file that changed meanwhile is another one');
    const open = await at.api('ada', 'GET', '/buckets/_my/uploads');
    assert.equal(open.json.items.length, 2);
    const dropped = `/buckets/_my/uploads/${other.uploadId}?key=${file.key}`;
    assert.equal((await at.api('ada', 'DELETE', dropped)).status, 204);
    await send(2);
    const listed = await at.api('ada', 'GET', `${at_}/parts?key=${file.key}`);
    assert.equal(listed.json.items.length, 3);
    const done = await at.api('ada', 'POST', `${at_}/complete`, { key: file.key });
    assert.equal(done.status, 204, JSON.stringify(done.json));
    const { json } = await at.api('ada', 'GET', `/buckets/_my/address?key=${file.key}`);
    const got = Buffer.from(await (await fetch(json.url)).arrayBuffer());
    assert.ok(got.equals(Buffer.concat(parts)));
    const gone = await at.api('ada', 'POST', `${at_}/addresses`, { key: 'up/other', partNumbers: [1] });
    assert.deepEqual([gone.status, gone.json.code], [404, 'no_such_upload']);
  });

  it('copies, moves and renames objects and folders, and handles names that are taken as asked', async () => {
    for (const key of ['m/from/1.txt', 'm/from/sub/2.txt', 'm/from.txt', 'm/to/1.txt'])
      await at.put('ada', '_my', key, key);
    const base = { bucket: '_my', target: { bucket: '_my', into: 'm/to/' } };
    const copied = await operate('ada', { kind: 'COPY', keys: ['m/from/', 'm/from.txt'], ...base });
    assert.deepEqual([copied.state, copied.done, copied.total], ['SUCCEEDED', 3, 3]);
    assert.deepEqual(await at.names('ada', '_my', 'm/to/'), ['m/to/1.txt', 'm/to/from.txt', 'm/to/from/']);
    const taken = await operate('ada', { kind: 'COPY', keys: ['m/from/1.txt'], ...base });
    assert.deepEqual([taken.state, taken.failures[0].code], ['FAILED', 'object_exists']);
    const both = await operate('ada', {
      ...{ kind: 'MOVE', keys: ['m/from/1.txt'], ...base, collision: 'KEEP_BOTH' },
    });
    assert.equal(both.state, 'SUCCEEDED');
    assert.ok((await at.names('ada', '_my', 'm/to/')).includes('m/to/1 (1).txt'));
    const renamed = await operate('ada', {
      ...{ kind: 'MOVE', bucket: '_my', keys: ['m/from/'], target: { bucket: '_my', as: 'm/renamed/' } },
    });
    assert.equal(renamed.state, 'SUCCEEDED');
    assert.deepEqual(await at.names('ada', '_my', 'm/'), ['m/from.txt', 'm/renamed/', 'm/to/']);
    const over = await operate('ada', { kind: 'MOVE', keys: ['m/from.txt'], ...base, collision: 'REPLACE' });
    assert.equal(over.state, 'SUCCEEDED');
    const inside = await at.api('ada', 'POST', '/operations', {
      ...{ kind: 'MOVE', bucket: '_my', keys: ['m/to/'], target: { bucket: '_my', into: 'm/to/x/' } },
    });
    assert.deepEqual([inside.status, inside.json.code], [400, 'invalid_target']);
    const across = await operate('ada', {
      ...{ kind: 'MOVE', bucket: '_my', keys: ['m/renamed/'], target: { bucket: 'w1', into: '' } },
    });
    assert.equal(across.state, 'SUCCEEDED');
    assert.deepEqual(await at.names('bob', 'w1', 'renamed/sub/'), ['renamed/sub/2.txt']);
  });

  it('deletes into the trash, which no S3 client lists, and brings back', async () => {
    for (const key of ['d/1.txt', 'd/sub/2.txt']) await at.put('ada', '_my', key, key);
    const deleted = await operate('ada', { kind: 'DELETE', bucket: '_my', keys: ['d/'] });
    assert.deepEqual([deleted.state, deleted.done], ['SUCCEEDED', 2]);
    assert.deepEqual(await at.names('ada', '_my', 'd/'), []);
    const { json: trash } = await at.api('ada', 'GET', '/buckets/_my/trash');
    const entry = trash.items.find(({ id }: { id: string }) => id === deleted.trashId);
    assert.deepEqual([entry.name, entry.items, entry.deletedBy], ['d/', 1, 'ada!']);
    assert.equal((await at.api('ada', 'GET', '/buckets/_my')).json.trash.objects >= 2, true);
    await at.put('ada', '_my', 'd/1.txt', 'another');
    const restored = await operate('ada', {
      ...{ kind: 'RESTORE', bucket: '_my', trash: [deleted.trashId], collision: 'KEEP_BOTH' },
    });
    assert.equal(restored.state, 'SUCCEEDED', JSON.stringify(restored));
    assert.deepEqual(await at.names('ada', '_my', 'd/'), ['d/1 (1).txt', 'd/1.txt', 'd/sub/']);
    const again = await at.api('ada', 'POST', '/operations', {
      ...{ kind: 'RESTORE', bucket: '_my', trash: [deleted.trashId] },
    });
    assert.equal(again.status, 404);
    const others = await at.api('eve', 'POST', '/operations', {
      ...{ kind: 'PURGE', bucket: '_my', trash: [deleted.trashId] },
    });
    assert.equal(others.status, 404);
    await operate('ada', { kind: 'DELETE', bucket: '_my', keys: ['d/1.txt'] });
    assert.equal((await operate('ada', { kind: 'PURGE', bucket: '_my' })).state, 'SUCCEEDED');
    assert.deepEqual((await at.api('ada', 'GET', '/buckets/_my/trash')).json.items, []);
    assert.equal((await at.api('ada', 'GET', '/buckets/_my')).json.trash.objects, 0);
    const forGood = { kind: 'DELETE', bucket: '_my', keys: ['d/sub/2.txt'], permanently: true };
    assert.equal((await operate('ada', forGood)).trashId, null);
    assert.deepEqual((await at.api('ada', 'GET', '/buckets/_my/trash')).json.items, []);
  });

  it('empties the trash of what is older than the setting says', async () => {
    await at.put('ada', '_my', 'old.txt', 'old');
    await at.put('ada', '_my', 'new.txt', 'new');
    const { trashId } = await operate('ada', { kind: 'DELETE', bucket: '_my', keys: ['old.txt'] });
    await operate('ada', { kind: 'DELETE', bucket: '_my', keys: ['new.txt'] });
    await at.database
      .sql`update ocean.trash set deleted_at = now() - interval '31 days' where id = ${trashId}`;
    await at.ocean.sweep();
    const { json } = await at.api('ada', 'GET', '/buckets/_my/trash');
    assert.deepEqual(
      json.items.map(({ name }: { name: string }) => name),
      ['new.txt'],
    );
    const blobs = await at.blobs.list({ prefix: 'drive/trash/', signal: AbortSignal.timeout(10_000) });
    assert.equal(blobs.blobs.length, 1);
  });

  it('tells the trail in which workspace something was done, and nobody of another one that they were asked for', async () => {
    await at.put('ada', 'w1', 'told/a.txt', 'hello');
    await at.put('ada', '_my', 'told/own.txt', 'hello');
    at.told.length = 0;
    const share = { key: 'told/a.txt', expiresInSeconds: 60 };
    await at.api('ada', 'POST', '/buckets/w1/shares', share);
    await at.api('ada', 'POST', '/buckets/_my/shares', { ...share, key: 'told/own.txt' });
    await at.api('bob', 'POST', '/buckets/w1/folders', { key: 'denied/' });
    await at.api('eve', 'POST', '/buckets/w1/shares', share);
    const copy = { kind: 'COPY', bucket: '_my', keys: ['told/own.txt'] };
    await operate('ada', { ...copy, target: { bucket: 'w1', into: 'told/' } });
    const back = { kind: 'COPY', bucket: 'w1', keys: ['told/a.txt'], target: { bucket: '_my', into: '' } };
    const { id } = await operate('ada', back);
    await operate('ada', { ...back, kind: 'MOVE', target: { bucket: '_my', into: 'moved/' } });
    await operate('ada', { kind: 'DELETE', bucket: 'w1', keys: ['told/own.txt'] });
    await at.api('ada', 'POST', `/operations/${id}/cancel`);
    assert.deepEqual(
      at.told.map(({ action, workspace, status }) => [
        ...[action.split('/').slice(2).join('/'), workspace, status?.code ?? 0],
      ]),
      [
        ['shares/CREATE', 'workspaces/w1', 0],
        ['shares/CREATE', undefined, 0],
        ['folders/CREATE', 'workspaces/w1', 7],
        ['shares/CREATE', undefined, 5],
        ['operations/CREATE', 'workspaces/w1', 0],
        ['operations/CREATE', undefined, 0],
        ['operations/CREATE', 'workspaces/w1', 0],
        ['operations/CREATE', 'workspaces/w1', 0],
        ['operations/CANCEL', 'workspaces/w1', 0],
      ],
    );
    assert.equal(at.told[4]?.requestParameters?.['target.bucket'], 'w1');
  });

  it('lists the links that one made, and takes them back', async () => {
    at.roles.set('lea w3', 'owner').set('leo w3', 'viewer');
    for (const key of ['one.txt', 'two.txt']) await at.put('lea', 'w3', key, key);
    const link = async (who: string, key: string): Promise<string> =>
      (await at.api(who, 'POST', '/buckets/w3/shares', { key, expiresInSeconds: 3600 })).json.url;
    const [one, two, his] = [
      await link('lea', 'one.txt'),
      await link('lea', 'two.txt'),
      await link('leo', 'one.txt'),
    ];
    const listed = async (who: string, query = '') => at.api(who, 'GET', `/buckets/w3/shares${query}`);
    const first = (await listed('lea', '?pageSize=1')).json;
    const second = (await listed('lea', `?pageSize=1&pageToken=${first.nextPageToken}`)).json;
    assert.deepEqual([first.items[0].key, second.items[0].key], ['two.txt', 'one.txt']);
    assert.equal(JSON.stringify([first, second]).includes('X-Amz'), false, 'addresses are told once');
    const end = (who: string, id: string, bucket = 'w3') =>
      at.api(who, 'DELETE', `/buckets/${bucket}/shares/${id}`);
    assert.equal((await end('leo', second.items[0].id)).status, 404, 'his it is not');
    assert.equal((await end('lea', second.items[0].id, '_my')).status, 404);
    assert.equal((await end('lea', second.items[0].id)).status, 204);
    assert.equal((await end('lea', second.items[0].id)).status, 404);
    assert.match(await (await fetch(one)).text(), /ExpiredToken.*taken back/s);
    assert.equal(await (await fetch(two)).text(), 'two.txt');
    assert.equal(await (await fetch(his)).text(), 'one.txt');
    assert.equal((await listed('lea')).json.items.length, 1);
    await at.database.sql`update drive.shares set expires_at = now() - interval '1 s' where subject = 'lea'`;
    assert.deepEqual((await listed('lea')).json.items, [], 'one that ended is none');
    await at.ocean.sweep();
    const left = await at.database
      .sql`select subject from drive.shares where bucket = 'drive/workspaces/w3/'`;
    assert.deepEqual(
      left.map(({ subject }) => subject),
      ['leo'],
    );
  });

  it('shares by a link that needs no sign-in, outlives it, and ends with its time or the account', async () => {
    await at.put('zoe', '_my', 'share.txt', 'shared');
    const { status, json } = await at.api('zoe', 'POST', '/buckets/_my/shares', {
      ...{ key: 'share.txt', expiresInSeconds: 3600 },
    });
    assert.equal(status, 201);
    const looked = await at.api('zoe', 'GET', '/buckets/_my/address?key=share.txt&disposition=INLINE');
    at.ended.add('sign-in-of-zoe');
    try {
      assert.equal(await (await fetch(json.url)).text(), 'shared');
      const other = json.url.replace('/share.txt?', '/another.txt?');
      assert.equal((await fetch(other)).status, 403, 'it is for one object');
      assert.equal((await fetch(json.url, { method: 'PUT', body: 'x' })).status, 403, 'to be read');
      assert.equal((await fetch(json.url.replace('Expires=3600', 'Expires=604800'))).status, 403);
      // What she looks at herself ends with her sign-in. Answers are believed for some seconds.
      const deadline = Date.now() + 30_000;
      while ((await fetch(looked.json.url)).ok && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal((await fetch(looked.json.url)).status, 400);
    } finally {
      at.ended.delete('sign-in-of-zoe');
    }
    for (const expiresInSeconds of [0, 7 * 86_400 + 1])
      assert.equal(
        (await at.api('zoe', 'POST', '/buckets/_my/shares', { key: 'share.txt', expiresInSeconds })).status,
        400,
      );
    const absent = await at.api('zoe', 'POST', '/buckets/_my/shares', { key: 'no', expiresInSeconds: 60 });
    assert.equal(absent.status, 404);
  });

  it('says how far a long operation is, to nobody else, and ends it when it is asked to', async () => {
    for (let i = 0; i < 20; i += 1) await at.put('ada', '_my', `many/${i}`, 'x');
    const { json } = await at.api('ada', 'POST', '/operations', {
      ...{ kind: 'COPY', bucket: '_my', keys: ['many/'], target: { bucket: '_my', as: 'many-2/' } },
    });
    assert.equal((await at.api('eve', 'GET', `/operations/${json.id}`)).status, 404);
    assert.equal((await at.api('eve', 'POST', `/operations/${json.id}/cancel`)).status, 404);
    const ended = await settled(at, 'ada', json);
    assert.deepEqual([ended.state, ended.done, ended.total], ['SUCCEEDED', 20, 20]);
    const cancelled = await at.api('ada', 'POST', `/operations/${json.id}/cancel`);
    assert.equal(cancelled.json.state, 'SUCCEEDED', 'what has ended stays as it ended');
    const recent = await at.api('ada', 'GET', '/operations');
    assert.equal(recent.json.items[0].id, json.id);
    // Its process died.
    await at.database.sql`
      update ocean.operations set state = 'RUNNING', ended_at = null, seen_at = now() - interval '10 minutes'
      where id = ${json.id}`;
    const lost = await at.api('ada', 'GET', `/operations/${json.id}`);
    assert.deepEqual([lost.json.state, lost.json.failures[0].code], ['FAILED', 'operation_interrupted']);
  });
});

describe('a Drive with a quota', () => {
  let at: TestOcean;
  before(async () => {
    at = await startTestOcean(createFilesystemBlobStore, { quota: 10, trashDays: 1 });
  });
  after(() => at.stop());

  it('says so when a copy does not fit, and when the trash is full', async () => {
    await at.put('ada', '_my', 'a', '123456');
    const target = { bucket: '_my', as: 'b' };
    const copied = await at.api('ada', 'POST', '/operations', {
      ...{ kind: 'COPY', bucket: '_my', keys: ['a'], target },
    });
    const ended = await settled(at, 'ada', copied.json);
    assert.equal(ended.failures[0].code, 'drive_quota_exceeded');
    const remove = { kind: 'DELETE', bucket: '_my', keys: ['a'] };
    await settled(at, 'ada', (await at.api('ada', 'POST', '/operations', remove)).json);
    await at.put('ada', '_my', 'a', '123456');
    const full = await settled(at, 'ada', (await at.api('ada', 'POST', '/operations', remove)).json);
    assert.equal(full.failures[0].code, 'trash_full');
    assert.deepEqual(await at.names('ada', '_my'), ['a'], 'nothing is lost');
    const bucket = await at.api('ada', 'GET', '/buckets/_my');
    assert.deepEqual(bucket.json.usage, { bytes: 6, objects: 1, quota: 10 });
  });
});
