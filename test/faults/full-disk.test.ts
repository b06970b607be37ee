import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { callApi } from '../support/api.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { askApp, bundleOf, importApp, startProbe } from './support.ts';

/** A file of random bytes is as large in the zip as it is outside. */
const ballast = (mebibytes: number) => {
  const bytes = Buffer.alloc(mebibytes << 20);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((Math.random() * 2 ** 32) >>> 0, at);
  return { name: 'static/ballast.bin', content: bytes };
};

describe('a full disk', {
  skip: process.getuid?.() === 0 ? false : 'mounting a small one needs root',
}, () => {
  let haic: Haic;
  let token: string;
  const mounted: string[] = [];

  before(async () => {
    haic = await startHaic();
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
    await haic.run(['down']);
    for (const name of ['blobs', 'uploads']) {
      const directory = path.join(haic.home, name);
      await mkdir(directory, { recursive: true });
      await execute('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'haic-test', directory]);
      mounted.push(directory);
    }
    await haic.up();
    token = await haic.accessToken('ada');
  });
  after(async () => {
    await haic?.run(['down']);
    for (const directory of mounted) await execute('umount', [directory]);
    await haic?.stop();
  });

  const blobFiles = async (): Promise<string[]> =>
    (await readdir(path.join(haic.home, 'blobs'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  const send = (bundle: Buffer) =>
    callApi<{ code: string; detail: string; id: string }>(
      haic,
      token,
      'POST',
      '/api/v1/apps?visibility=PRIVATE',
      bundle,
    );
  const fill = (directory: string) =>
    execute('dd', ['if=/dev/zero', `of=${path.join(directory, 'filler')}`, 'bs=64k']).catch(() => undefined);

  for (const name of ['uploads', 'blobs']) {
    it(`an import while ${name} is full answers 507 in clear words, and leaves nothing half behind`, async () => {
      const directory = path.join(haic.home, name);
      const filesBefore = await blobFiles();
      const appsBefore = await callApi<{ items: unknown[] }>(haic, token, 'GET', '/api/v1/apps');
      await fill(directory);
      const refused = await send(bundleOf({ name: `full-${name}`, files: [ballast(1)] }));
      assert.deepEqual([refused.status, refused.body.code], [507, 'insufficient_storage']);
      assert.match(refused.body.detail, /The disk is full\. Nothing was changed; free some space/);
      await rm(path.join(directory, 'filler'));
      assert.deepEqual(await blobFiles(), filesBefore);
      assert.deepEqual(await readdir(path.join(haic.home, 'uploads')), []);
      const appsAfter = await callApi<{ items: unknown[] }>(haic, token, 'GET', '/api/v1/apps');
      assert.deepEqual(appsAfter.body.items, appsBefore.body.items);
      assert.equal((await send(bundleOf({ name: `full-${name}`, files: [ballast(1)] }))).status, 201);
    });
  }

  it('a bundle that alone is more than the disk holds is refused the same way', async () => {
    const filesBefore = await blobFiles();
    const refused = await send(bundleOf({ name: 'whale', files: [ballast(6)] }));
    assert.deepEqual([refused.status, refused.body.code], [507, 'insufficient_storage']);
    assert.deepEqual(await blobFiles(), filesBefore);
  });

  it('the old version stays whole and runs while a new one does not fit', async () => {
    const id = await startProbe(haic, token, { name: 'kept' });
    await fill(path.join(haic.home, 'blobs'));
    const refused = await send(bundleOf({ name: 'newcomer' }));
    assert.equal(refused.status, 507);
    assert.equal((await askApp(haic, token, id))?.status, 200);
    await rm(path.join(haic.home, 'blobs', 'filler'));
    await importApp(haic, token, { name: 'newcomer' });
    await writeFile(path.join(haic.home, 'uploads', 'proof'), 'there is room again');
  });
});
