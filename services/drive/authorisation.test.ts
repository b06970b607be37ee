import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { operations } from './operations.ts';
import { type Ask, between, type Keys, startTestDrive, type TestDrive } from './testing.ts';

const complete =
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"0"</ETag></Part></CompleteMultipartUpload>';
const remove = '<Delete><Object><Key>nothing</Key></Object></Delete>';

/**
 * Who may what in the bucket of a workspace, by hand: an owner, an editor, a viewer, somebody else, nobody; and what is answered to who may. In
 * `{upload}` an upload of the owner is under way.
 */
// biome-ignore format: columns
const rows: readonly (readonly [name: string, ask: Omit<Ask, 'path'> & { key?: string }, ...answers: (number | string)[]])[] = [
  //                                                                                                        owner editor viewer other nobody
  ['HeadBucket', { method: 'HEAD' },                                                                          200, 200, 200, 404, 403],
  ['CreateBucket', { method: 'PUT', body: '' },                                                               409, 409, 409, 404, 403],
  ['GetBucketLocation', { query: { location: '' } },                                                          200, 200, 200, 404, 403],
  ['ListObjects', {},                                                                                         200, 200, 200, 404, 403],
  ['ListObjectsV2', { query: { 'list-type': '2' } },                                                          200, 200, 200, 404, 403],
  ['ListMultipartUploads', { query: { uploads: '' } },                                                        200, 200, 403, 404, 403],
  ['DeleteObjects', { method: 'POST', query: { delete: '' }, body: remove },                                  200, 200, 403, 404, 403],
  ['GetObject', { key: 'there' },                                                                             200, 200, 200, 404, 403],
  ['HeadObject', { key: 'there', method: 'HEAD' },                                                            200, 200, 200, 404, 403],
  ['PutObject', { key: 'made', method: 'PUT', body: 'x' },                                                    200, 200, 403, 404, 403],
  ['CopyObject', { key: 'copied', method: 'PUT', body: '', headers: { 'x-amz-copy-source': '{bucket}/there' } }, 200, 200, 403, 404, 403],
  ['CreateMultipartUpload', { key: 'parts', method: 'POST', query: { uploads: '' } },                         200, 200, 403, 404, 403],
  ['UploadPart', { key: 'upload', method: 'PUT', query: { partNumber: '1', uploadId: '{upload}' }, body: 'x' }, 200, 200, 403, 404, 403],
  ['UploadPartCopy', { key: 'upload', method: 'PUT', query: { partNumber: '2', uploadId: '{upload}' }, body: '', headers: { 'x-amz-copy-source': '{bucket}/there' } }, 200, 200, 403, 404, 403],
  ['ListParts', { key: 'upload', query: { uploadId: '{upload}' } },                                           200, 200, 403, 404, 403],
  ['CompleteMultipartUpload', { key: 'upload', method: 'POST', query: { uploadId: '{upload}' }, body: complete }, 400, 400, 403, 404, 403],
  ['AbortMultipartUpload', { key: 'other', method: 'DELETE', query: { uploadId: '{upload}' } },               404, 404, 403, 404, 403],
  ['DeleteObject', { key: 'nothing', method: 'DELETE' },                                                      204, 204, 403, 404, 403],
];

describe('who may what in a bucket', () => {
  let haic: TestDrive;
  const who = new Map<string, Keys | undefined>();
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore);
    for (const name of ['owner', 'editor', 'viewer'] as const) haic.roles.set(`${name} team`, name);
    for (const name of ['owner', 'editor', 'viewer', 'other']) who.set(name, await haic.keysOf(name));
    who.set('nobody', undefined);
  });
  after(() => haic.stop());

  const fill = (text: string, upload: string, bucket: string) =>
    text.replace('{upload}', upload).replace('{bucket}', bucket);

  async function tryAll(bucket: string): Promise<Map<string, (number | string)[]>> {
    const found = new Map<string, (number | string)[]>();
    const owner = who.get('owner');
    await haic.ask(owner, { method: 'PUT', path: `/${bucket}/there`, body: 'there' });
    const made = await haic.ask(owner, { method: 'POST', path: `/${bucket}/upload`, query: { uploads: '' } });
    const upload = between(made.text, 'UploadId') ?? '';
    for (const [name, { key, query = {}, headers = {}, ...ask }] of rows) {
      const answers: number[] = [];
      for (const keys of who.values()) {
        const entries = (record: Readonly<Record<string, string>>) =>
          Object.fromEntries(Object.entries(record).map(([n, value]) => [n, fill(value, upload, bucket)]));
        const path = key === undefined ? `/${bucket}` : `/${bucket}/${key}`;
        const answer = await haic.ask(keys, {
          ...ask,
          path,
          query: entries(query),
          headers: entries(headers),
        });
        answers.push(answer.status);
      }
      found.set(name, answers);
    }
    return found;
  }

  it('of a workspace is as written here, for every operation', async () => {
    assert.deepEqual(rows.map(([name]) => name).sort(), operations.map(({ name }) => name).sort());
    const found = await tryAll('team');
    for (const [name, , ...wanted] of rows) assert.deepEqual(found.get(name), wanted, name);
  });

  it('of a person is theirs alone: each has another one under the same name', async () => {
    const owner = who.get('owner');
    await haic.ask(owner, { method: 'PUT', path: '/_my/private', body: 'x' });
    for (const name of ['editor', 'viewer', 'other']) {
      const keys = who.get(name);
      assert.equal((await haic.ask(keys, { path: '/_my/private' })).code, 'NoSuchKey', name);
      assert.doesNotMatch((await haic.ask(keys, { path: '/_my' })).text, /private/, name);
      for (const path of [
        '/owner/private',
        '/people%2Fowner/private',
        '/_my/../owner/private',
        '/..%2Fowner/private',
      ])
        assert.equal((await haic.ask(keys, { path })).status, 404, `${name} ${path}`);
    }
  });

  it('counts for the source of a copy, too', async () => {
    haic.roles.set('editor secret', 'viewer');
    haic.roles.set('owner secret', 'owner');
    await haic.ask(who.get('owner'), { method: 'PUT', path: '/secret/there', body: 'secret' });
    const copy = async (name: string, source: string) =>
      (
        await haic.ask(who.get(name), {
          method: 'PUT',
          path: '/_my/copy',
          body: '',
          headers: { 'x-amz-copy-source': source },
        })
      ).status;
    assert.equal(await copy('editor', '/secret/there'), 200);
    assert.equal(await copy('other', '/secret/there'), 404);
    assert.equal(await copy('other', '/_my/../secret/there'), 404);
  });

  it('is lost when the role is', async () => {
    const editor = who.get('editor');
    assert.equal((await haic.ask(editor, { method: 'PUT', path: '/team/mine', body: 'x' })).status, 200);
    haic.roles.set('editor team', 'viewer');
    assert.equal(
      (await haic.ask(editor, { method: 'PUT', path: '/team/mine', body: 'y' })).code,
      'AccessDenied',
    );
    haic.roles.delete('editor team');
    assert.equal((await haic.ask(editor, { path: '/team/mine' })).code, 'NoSuchBucket');
    haic.roles.set('editor team', 'editor');
  });
});
