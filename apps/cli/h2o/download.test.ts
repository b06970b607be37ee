import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml, zipOf } from '@haic/services/app-store/catalog/testing.ts';
import { startTestCatalog, type TestCatalog } from '@haic/services/app-store/catalog/testing-server.ts';
import { startCommandLine } from './testing.ts';

let store: TestCatalog;
let id: string;
let zip: Buffer;
before(async () => {
  store = await startTestCatalog(createFilesystemBlobStore);
  zip = await zipOf({ 'app.toml': helloToml, 'app.py': 'print(1)\n', 'static/a.txt': 'a' });
  id = (await store.importBytes(zip, 'anna/user/cli')).json.id;
});
after(() => store.stop());

test('app download writes the bundle under its own name, and never over what is there', async () => {
  await using cli = await startCommandLine(store.base, 'anna/user/cli');
  const first = await cli.run('app', 'download', id);
  assert.equal(first.code, 0, first.talk);
  const file = path.join(cli.directory, 'ai.haic.hello.1.0.0.wave');
  assert.equal(first.out, `${file}\n`);
  assert.ok((await readFile(file)).equals(zip));
  const again = await cli.run('app', 'download', id);
  assert.deepEqual([again.code, again.out], [1, '']);
  assert.match(again.talk, /exists already\. Remove it, or name another path/);
  assert.equal((await cli.run('app', 'download', id, 'other.wave')).code, 0);
  assert.ok((await readFile(path.join(cli.directory, 'other.wave'))).equals(zip));
});

test('app download --extract brings the files', async () => {
  await using cli = await startCommandLine(store.base, 'anna/user/cli');
  const { code, out, talk } = await cli.run('app', 'download', id, '--extract');
  assert.equal(code, 0, talk);
  const folder = path.join(cli.directory, 'ai.haic.hello.1.0.0');
  assert.equal(out, `${folder}\n`);
  assert.equal(await readFile(path.join(folder, 'app.toml'), 'utf8'), helloToml);
  assert.equal(await readFile(path.join(folder, 'static/a.txt'), 'utf8'), 'a');
  assert.equal((await cli.run('app', 'download', id, 'mine', '--extract')).code, 0);
  assert.deepEqual((await readdir(path.join(cli.directory, 'mine'))).sort(), [
    'app.py',
    'app.toml',
    'static',
  ]);
  assert.equal((await readdir(cli.directory)).length, 3, 'nothing else is left');
});

test('app download of what one may not see says so and leaves nothing', async () => {
  await using cli = await startCommandLine(store.base, 'ben/user/cli');
  const { code, out, talk } = await cli.run('app', 'download', id);
  assert.deepEqual([code, out], [1, '']);
  assert.match(talk, /This app/);
  assert.deepEqual(await readdir(cli.directory), ['config.toml']);
});
