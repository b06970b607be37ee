import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml, zipOf } from '@haic/services/app-store/catalog/testing.ts';
import { startTestCatalog, type TestCatalog } from '@haic/services/app-store/catalog/testing-server.ts';
import { startCommandLine } from './testing.ts';

const anna = 'anna/user/cli';
const files = { 'app.toml': helloToml, 'app.py': 'print(1)\n', 'requirements.txt': 'h2o-wave==1.0\n' };
let store: TestCatalog;
before(async () => {
  store = await startTestCatalog(createFilesystemBlobStore);
});
after(() => store.stop());

test('app meta shows the parts of an app in the store, app inspect those of a bundle and of a folder', async () => {
  const zip = await zipOf(files);
  const { id } = (await store.importBytes(zip, anna)).json;
  await using cli = await startCommandLine(store.base, anna);
  const bundle = path.join(cli.directory, 'hello.wave');
  const folder = path.join(cli.directory, 'hello');
  await writeFile(bundle, zip);
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  await cp(bundle, path.join(folder, 'old.wave'));

  for (const what of [
    ['meta', id],
    ['inspect', bundle],
    ['inspect', folder],
  ]) {
    const { code, out, talk } = await cli.run('app', ...what);
    assert.deepEqual([code, out], [0, 'h2o-wave==1.0\n'], talk);
    assert.equal((await cli.run('app', ...what, '-t', 'FILES')).out, 'app.py\napp.toml\nrequirements.txt\n');
    const toml = JSON.parse((await cli.run('app', ...what, '-t', 'APP', '--json')).out);
    assert.deepEqual(toml, { file: 'app.toml', content: helloToml });
    const none = await cli.run('app', ...what, '-t', 'PACKAGES');
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.talk, /no packages\.txt/);
  }
});

test('app inspect of what is no bundle says so', async () => {
  await using cli = await startCommandLine(store.base, anna);
  await writeFile(path.join(cli.directory, 'text.wave'), 'no zip');
  const { code, talk } = await cli.run('app', 'inspect', 'text.wave');
  assert.equal(code, 1);
  assert.match(talk, /damaged or not a bundle/);
});
