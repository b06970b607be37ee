import assert from 'node:assert/strict';
import {
  access,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { emptyFolder, writeInstanceFiles, writeSecretFiles } from './instance-files.ts';
import { makeZip, type ZipItem } from './testing/zip.ts';
import { unzip } from './unzip.ts';

let base: string;
let count = 0;
before(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'haic-unzip-'));
});
after(() => rm(base, { recursive: true, force: true }));

async function unpack(items: readonly ZipItem[], limits?: { entries: number; bytes: number }) {
  count += 1;
  const archive = path.join(base, `${count}.zip`);
  const target = path.join(base, `out-${count}`);
  await writeFile(archive, makeZip(items));
  await mkdir(target);
  const options = { signal: AbortSignal.timeout(10_000), ...(limits === undefined ? {} : { limits }) };
  return { target, result: await unzip(archive, target, options) };
}

test('a bundle is unpacked with its folders, modes and without what macOS adds', async () => {
  const { target, result } = await unpack([
    { name: 'src/' },
    { name: 'src/app.py', content: 'hello' },
    { name: 'run.sh', content: '#!/bin/sh', mode: 0o100755 },
    { name: 'made-on-windows.txt', content: 'x', mode: 0 },
    { name: '__MACOSX/src/._app.py', content: 'x' },
    { name: 'src/.DS_Store', content: 'x' },
  ]);
  assert.equal(result.files, 3);
  assert.equal(await readFile(path.join(target, 'src/app.py'), 'utf8'), 'hello');
  assert.equal((await stat(path.join(target, 'run.sh'))).mode & 0o777, 0o755);
  assert.deepEqual((await readdir(target, { recursive: true })).sort(), [
    'made-on-windows.txt',
    'run.sh',
    'src',
    'src/app.py',
  ]);
});

test('the newest file tells when a bundle was published', async () => {
  const { result } = await unpack([
    { name: 'app.toml', content: 'x', modified: '2022-12-31' },
    { name: 'src/app.py', content: 'x', modified: '2023-02-28' },
    { name: 'old.txt', content: 'x' },
  ]);
  assert.equal(result.newest, '2023-02-28');
});

const hostile: Record<string, readonly ZipItem[]> = {
  'a path that climbs': [{ name: '../evil', content: 'x' }],
  'a path that climbs in the middle': [{ name: 'a/../../evil', content: 'x' }],
  'an absolute path': [{ name: '/tmp/evil', content: 'x' }],
  'a drive letter': [{ name: 'C:/evil', content: 'x' }],
  'a backslash': [{ name: '..\\evil', content: 'x' }],
  'a NUL': [{ name: 'a\0b', content: 'x' }],
  'a symbolic link': [{ name: 'link', content: '/etc', mode: 0o120777 }],
  'a device': [{ name: 'null', mode: 0o020666 }],
  'the same name twice': [
    { name: 'a', content: 'x' },
    { name: 'a', content: 'y' },
  ],
  'a file through a file': [
    { name: 'a', content: 'x' },
    { name: 'a/b', content: 'y' },
  ],
  'a size that lies': [{ name: 'a', content: 'x'.repeat(10_000), claimedSize: 10 }],
};
for (const [what, items] of Object.entries(hostile)) {
  test(`a bundle with ${what} is refused`, async () => {
    await assert.rejects(unpack(items), { name: 'LaunchFailure' });
    await assert.rejects(access(path.join(base, 'evil')));
  });
}

test('a bundle that is too large when unpacked, or has too many entries, is refused', async () => {
  const big = [{ name: 'a', content: Buffer.alloc(2_000_000) }];
  await assert.rejects(unpack(big, { entries: 10, bytes: 1_000_000 }), /too large when unpacked/);
  const many = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }));
  await assert.rejects(unpack(many, { entries: 10, bytes: 1_000_000 }), /11 entries/);
});

test('[[File]] values are written below the app, also where a link would lead elsewhere', async () => {
  const app = path.join(base, 'app');
  await mkdir(path.join(app, 'conf'), { recursive: true });
  const reserved = [path.join(base, 'resources'), path.join(base, 'tmp')];
  const places = { app, root: base, secrets: undefined, reserved };
  await writeInstanceFiles(places, [
    { path: 'conf/a.txt', value: 'one' },
    { path: './new/deep/b.txt', value: 'two' },
    { path: '/app/conf/c.txt', value: 'three' },
    { path: '/config/of-its-own/d.txt', value: 'four' },
  ]);
  assert.equal(await readFile(path.join(base, 'config/of-its-own/d.txt'), 'utf8'), 'four');
  assert.equal(await readFile(path.join(app, 'new/deep/b.txt'), 'utf8'), 'two');
  assert.equal((await stat(path.join(app, 'conf/c.txt'))).mode & 0o777, 0o600);
  await symlink(base, path.join(app, 'leads-out'));
  await symlink(path.join(base, 'target'), path.join(app, 'conf/link'));
  await symlink(path.join(base, 'target'), path.join(base, 'config/link'));
  const wrong = [
    'leads-out/x',
    'conf/link',
    'top.txt',
    '../app2/x',
    'a\0/b',
    '/etc/x',
    '/resources/x',
    '/tmp/x/y',
  ];
  for (const name of [...wrong, '/top.txt', '/config/../etc/x', '/config/link', '/app/../etc/x'])
    await assert.rejects(writeInstanceFiles(places, [{ path: name, value: 'x' }]), /\[\[File\]\]/, name);
  await assert.rejects(access(path.join(base, 'target')));
});

test('files that hold secrets are links to what is in memory, written anew and never through what the bundle brought', async () => {
  const app = path.join(base, 'app-with-secrets');
  const secrets = path.join(base, 'memory');
  await mkdir(path.join(app, 'conf'), { recursive: true });
  await mkdir(secrets);
  await writeFile(path.join(app, 'conf/key'), 'an example of the bundle');
  await symlink(path.join(base, 'stranger'), path.join(app, 'link'));
  const places = { app, root: base, secrets, reserved: [] };
  for (const value of ['first', 'second'])
    await writeSecretFiles(places, [
      { path: 'conf/key', value },
      { path: 'other/key', value: Buffer.of(0, 255) },
    ]);
  assert.equal(await readFile(path.join(app, 'conf/key'), 'utf8'), 'second');
  assert.deepEqual(await readFile(path.join(app, 'other/key')), Buffer.of(0, 255));
  assert.ok((await realpath(path.join(app, 'conf/key'))).startsWith(await realpath(secrets)));
  assert.equal((await stat(path.join(app, 'conf/key'))).mode & 0o777, 0o600);
  for (const name of ['top.txt', '../out/x', '/etc/x', 'link/x'])
    await assert.rejects(writeSecretFiles(places, [{ path: name, value: 'x' }]), /\[\[File\]\]/, name);
  await assert.rejects(access(path.join(base, 'stranger')));

  await writeSecretFiles({ ...places, secrets: undefined }, [{ path: 'conf/plain', value: 'x' }]);
  assert.equal(await realpath(path.join(app, 'conf/plain')), path.join(await realpath(app), 'conf/plain'));
});

test('the folder is emptied but for a data volume inside of it', async () => {
  const app = path.join(base, 'with-volume');
  await mkdir(path.join(app, 'data/files'), { recursive: true });
  await writeFile(path.join(app, 'data/files/kept'), 'x');
  await writeFile(path.join(app, 'data/old'), 'x');
  await writeFile(path.join(app, 'old'), 'x');
  await emptyFolder(app, path.join(app, 'data/files'));
  assert.deepEqual((await readdir(app, { recursive: true })).sort(), [
    'data',
    'data/files',
    'data/files/kept',
  ]);
});
