import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { driveError } from './errors.ts';
import { between, type Keys, startTestDrive, type TestDrive } from './testing.ts';

const deletion = (keys: readonly string[]) =>
  `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;

/** Deletes nothing that is called `stuck`, and of what is called `torn` nobody knows. */
const failing = (blobs: BlobStore): BlobStore => ({
  ...blobs,
  delete: async (key, options) => {
    if (key.endsWith('/stuck')) throw driveError('AccessDenied', 'It is stuck.');
    await blobs.delete(key, options);
    if (key.endsWith('/torn')) throw new Error('The connection to the store broke.');
  },
});

/** Without its keys, which are told elsewhere. */
const heard = (haic: TestDrive) =>
  haic.trail.actions.filter(({ action }) => action !== 'actions/drive/keys/CREATE');
async function untilHeard(haic: TestDrive, count: number) {
  for (const deadline = Date.now() + 10_000; heard(haic).length < count && Date.now() < deadline; )
    await delay(20);
  return heard(haic);
}

describe('what the audit trail hears of objects', () => {
  let haic: TestDrive;
  let ada: Keys;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore, { wrap: failing });
    haic.roles.set('ada team', 'editor').set('bob team', 'viewer');
    ada = await haic.keysOf('ada', { azp: 'haic-cli' });
  });
  after(() => haic.stop());
  beforeEach(() => {
    haic.trail.actions.length = 0;
  });
  const put = (path: string) => haic.ask(ada, { method: 'PUT', path, body: 'x' });
  const remove = (keys: Keys, path: string, headers = {}) =>
    haic.ask(keys, { method: 'DELETE', path, headers });
  const removeAll = (bucket: string, keys: readonly string[]) =>
    haic.ask(ada, { method: 'POST', path: `/${bucket}`, query: { delete: '' }, body: deletion(keys) });

  it('is a deletion: who, by which keys, what and where, before it is answered', async () => {
    await put('/team/a%20b.csv');
    assert.equal((await remove(ada, '/team/a%20b.csv')).status, 204);
    const [{ userAgent, ...told } = { userAgent: undefined }, ...more] = heard(haic);
    assert.deepEqual(
      [typeof userAgent, told, more],
      [
        'string',
        {
          ...{ action: 'actions/drive/objects/DELETE', readOnly: false, principal: 'users/ada' },
          ...{ resource: '//drive/buckets/team', workspace: 'workspaces/team', sourceIpAddress: '127.0.0.1' },
          requestParameters: { count: '1', keys: 'a b.csv' },
          metadata: { client: 'haic-cli', access_key: ada.accessKeyId },
        },
        [],
      ],
    );
  });

  it('is one event for many that are deleted at once, with how many and the first of them', async () => {
    const keys = Array.from({ length: 300 }, (_, n) => `many/${n}`);
    assert.equal((await removeAll('_my', keys)).status, 200);
    const [told, ...more] = heard(haic);
    assert.equal(more.length, 0);
    assert.deepEqual(told?.requestParameters, { count: '300', keys: keys.slice(0, 20).join(', ') });
    assert.deepEqual([told?.resource, told?.workspace], ['//drive/buckets/_my', undefined]);
    haic.trail.actions.length = 0;
    const long = Array.from({ length: 10 }, (_, n) => `${n}${'x'.repeat(1000)}`);
    await removeAll('_my', long);
    assert.equal(heard(haic)[0]?.requestParameters?.keys, long.slice(0, 3).join(', '));
  });

  it('is how many of them could not be deleted, and what went wrong where none could', async () => {
    await removeAll('_my', ['one', 'stuck', 'two']);
    await removeAll('_my', ['stuck']);
    assert.deepEqual(
      heard(haic).map(({ requestParameters, status }) => [requestParameters, status?.code]),
      [
        [{ count: '2', keys: 'one, two', failed: '1' }, undefined],
        [{ count: '0', keys: 'stuck', failed: '1' }, 7],
      ],
    );
  });

  it('is a deletion of which nobody knows what became of it', async () => {
    await put('/_my/torn');
    assert.equal((await remove(ada, '/_my/torn')).status, 500);
    const [told, ...more] = heard(haic);
    assert.deepEqual([told?.status?.code, told?.requestParameters?.keys, more], [2, 'torn', []]);
  });

  it('is a deletion that was refused, of each person so often a minute', async () => {
    await put('/team/kept');
    const bob = await haic.keysOf('bob');
    assert.equal((await remove(bob, '/team/kept')).code, 'AccessDenied');
    assert.equal((await remove(ada, '/team/kept', { 'if-match': '"another"' })).code, 'PreconditionFailed');
    assert.equal((await remove(ada, '/elsewhere/kept')).code, 'NoSuchBucket');
    assert.deepEqual(
      (await untilHeard(haic, 3)).map(({ principal, resource, workspace, status }) => [
        ...[principal, resource, workspace, status?.code],
      ]),
      [
        ['users/bob', '//drive/buckets/team', 'workspaces/team', 7],
        ['users/ada', '//drive/buckets/team', 'workspaces/team', 9],
        ['users/ada', '//drive/buckets/elsewhere', undefined, 5],
      ],
    );
    for (let n = 0; n < 40; n += 1) await remove(bob, '/team/kept');
    const ofBob = heard(haic).filter(({ principal }) => principal === 'users/bob');
    assert.ok(ofBob.length >= 30 && ofBob.length < 41, `${ofBob.length}`);
  });

  it('keeps no deletion from being done while it cannot be recorded, and comes when it can', async () => {
    haic.trail.away = true;
    try {
      const begun = performance.now();
      for (const name of ['first', 'second', 'third', 'fourth']) {
        await put(`/_my/${name}`);
        assert.equal((await remove(ada, `/_my/${name}`)).status, 204);
        assert.equal((await haic.ask(ada, { path: `/_my/${name}` })).code, 'NoSuchKey');
      }
      assert.ok(performance.now() - begun < 20_000);
      assert.deepEqual(heard(haic), []);
    } finally {
      haic.trail.away = false;
    }
    const told = await untilHeard(haic, 4);
    assert.deepEqual(
      told.map(({ requestParameters }) => requestParameters?.keys),
      ['first', 'second', 'third', 'fourth'],
    );
  });

  it('is no reading, no writing, and no refusal of either, unless that is wanted', async () => {
    await put('/_my/quiet');
    await haic.ask(ada, { path: '/_my/quiet' });
    const bob = await haic.keysOf('bob');
    assert.equal((await haic.ask(bob, { method: 'PUT', path: '/team/x', body: 'x' })).code, 'AccessDenied');
    await delay(100);
    assert.deepEqual(heard(haic), []);
  });
});

describe('what the audit trail hears where it is to hear all of objects', () => {
  let haic: TestDrive;
  let ada: Keys;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore, { auditObjects: true });
    haic.roles.set('ada team', 'editor').set('bob team', 'viewer');
    ada = await haic.keysOf('ada');
  });
  after(() => haic.stop());
  beforeEach(() => {
    haic.trail.actions.length = 0;
  });

  it('is what is written, read and copied, under the names that the page uses', async () => {
    await haic.ask(ada, { method: 'PUT', path: '/_my/a', body: 'abcdef' });
    await haic.ask(ada, { path: '/_my/a', headers: { range: 'bytes=1-2' } });
    const headers = { 'x-amz-copy-source': '/_my/a' };
    await haic.ask(ada, { method: 'PUT', path: '/team/b', headers });
    const begun = await haic.ask(ada, { method: 'POST', path: '/_my/c', query: { uploads: '' } });
    const uploadId = between(begun.text, 'UploadId') ?? '';
    const part = await haic.ask(ada, {
      ...{ method: 'PUT', path: '/_my/c', query: { partNumber: '1', uploadId }, headers },
    });
    const etag = between(part.text, 'ETag') ?? '';
    const body = `<CompleteMultipartUpload><Part><ETag>${etag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>`;
    const done = await haic.ask(ada, { method: 'POST', path: '/_my/c', query: { uploadId }, body });
    assert.equal(done.status, 200, done.text);
    await haic.ask(ada, { method: 'DELETE', path: '/_my/c' });
    assert.deepEqual(
      (await untilHeard(haic, 6)).map(({ action, readOnly, resource, requestParameters }) => [
        ...[action.replace('actions/drive/', ''), readOnly, resource, requestParameters],
      ]),
      [
        ['objects/PUT', false, '//drive/buckets/_my', { key: 'a' }],
        ['objects/GET', true, '//drive/buckets/_my', { key: 'a', range: '1-2' }],
        ['objects/COPY', false, '//drive/buckets/team', { key: 'b', source: '_my/a' }],
        ['objects/COPY', false, '//drive/buckets/_my', { key: 'c', source: '_my/a', partNumber: '1' }],
        ['uploads/COMPLETE', false, '//drive/buckets/_my', { key: 'c', uploadId }],
        ['objects/DELETE', false, '//drive/buckets/_my', { count: '1', keys: 'c' }],
      ],
    );
  });

  it('is a write that was refused, and no look for what is not there', async () => {
    const bob = await haic.keysOf('bob');
    assert.equal((await haic.ask(bob, { method: 'PUT', path: '/team/x', body: 'x' })).code, 'AccessDenied');
    assert.equal((await haic.ask(bob, { path: '/_my/nothing' })).code, 'NoSuchKey');
    assert.deepEqual(
      (await untilHeard(haic, 1)).map(({ action, status }) => [action, status?.code]),
      [['actions/drive/objects/PUT', 7]],
    );
  });
});
