import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { deadline, until } from '@haic/kit/deadline.ts';
import { driveKeys, driveStatus } from '../support/drive.ts';
import { type Haic, placeForHaic, startHaic } from '../support/haic.ts';
import { type ObjectStore, stores } from '../support/object-stores.ts';
import { bundleOf, importApp } from './support.ts';

const cli = path.join(import.meta.dirname, '../../apps/cli/main.ts');

describe('a Haic whose bundles and objects are in a store of their own', () => {
  let google: ObjectStore;
  let amazon: ObjectStore;
  let source: Haic;
  let target: Haic;
  let app: string;
  let folder: string;
  const startOf = async (name: string) => {
    const store = await stores.find((each) => each.name.startsWith(name))?.start();
    assert.ok(store !== undefined);
    console.log(`# served by ${store.name}`);
    return store;
  };
  const bundleIn = async (haic: Haic) => {
    const headers = { authorization: `Bearer ${await haic.accessToken('ada')}` };
    const answer = await fetch(`${haic.url}/api/v1/apps/${app}/bundle`, { headers });
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  const blobsIn = async (file: string) => {
    const names = execFileSync('tar', ['-t'], { input: zstdDecompressSync(await readFile(file)) }).toString();
    return names.split('\n').filter((name) => name.startsWith('blobs/') && name.endsWith('.json')).length;
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-backup-elsewhere-'));
    google = await startOf('Google');
    amazon = await startOf('S3');
    source = await startHaic(google.environment);
    target = await placeForHaic(amazon.environment);
    await source.addUser('ada');
    const token = await source.accessToken('ada');
    app = await importApp(source, token, { name: 'in-a-bucket' });
    assert.equal(
      await driveStatus(source, await driveKeys(source, token), 'PUT', '/_my/home/a', 'kept'),
      200,
    );
  });
  after(async () => {
    await source?.stop();
    await target?.stop();
    await google?.stop();
    await amazon?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps bundles of apps there', async () => {
    const { status, bytes } = await bundleIn(source);
    assert.equal(status, 200);
    assert.ok(bytes.equals(bundleOf({ name: 'in-a-bucket' })));
  });

  it('is told by doctor that the store answers, or why it does not', async () => {
    const found = async (env: NodeJS.ProcessEnv = {}) => {
      const { stdout } = await source.cli(['doctor', '--json'], { env });
      const checks = JSON.parse(stdout) as { name: string; state: string; found: string }[];
      return checks.find(({ name }) => name === 'Objects');
    };
    assert.deepEqual((await found())?.found, 'in gs://bucket/haic/, which answers');
    const wrong = `${google.environment.HAIC_BLOB_STORE}`.replace('bucket', 'another');
    const away = await found({ HAIC_BLOB_STORE: wrong });
    assert.equal(away?.state, 'limited');
    assert.match(away?.found ?? '', /gs:\/\/another\/haic\/: The object store has no such bucket/);
  });

  it('is backed up without them unless they are wanted, and says so, from a shell that does not know the store', async () => {
    const env = { HAIC_BLOB_STORE: '' };
    const without = path.join(folder, 'without');
    const said = await source.cli(['backup', without], { env });
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, /are in gs:\/\/bucket\/haic\/ and not in this backup.*--objects/);
    assert.equal(await blobsIn(without), 0);
    const withThem = path.join(folder, 'with');
    await source.run(['backup', withThem, '--objects'], { env });
    assert.ok((await blobsIn(withThem)) >= 2);
  });

  it('is left by a restore that is killed with objects in the store: doctor tells of them, and what comes next removes them', async () => {
    const child = spawn(process.execPath, [cli, 'restore', path.join(folder, 'with')], {
      env: target.environment,
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    const objects = path.join(amazon.folder, 'data/bucket/haic/objects');
    const begun = async () => ((await readdir(objects).catch(() => [])).length > 1 ? true : undefined);
    await until(begun, { everyMs: 5, signal: deadline(60_000) }).finally(() => child.kill('SIGKILL'));
    await ended;
    const found = async () => {
      const checks = JSON.parse((await target.cli(['doctor', '--json'])).stdout) as {
        name: string;
        found: string;
      }[];
      return checks.find(({ name }) => name === 'Objects')?.found ?? '';
    };
    assert.match(await found(), /s3:\/\/bucket\/haic\/ holds what a restore into .* has not ended/);
    const up = await target.cli(['up', '--detach']);
    assert.match(up.stderr, /Removing what the restore put into s3:\/\/bucket\/haic\//);
    assert.match(up.stderr, /was cut off, so nothing is there yet/);
    assert.equal(await found(), 'in s3://bucket/haic/, which answers');
    assert.deepEqual(await readdir(objects).catch(() => []), []);
  });

  it('is restored into a store at somebody else’s, bundles and objects included', async () => {
    const file = path.join(folder, 'with');
    await target.run(['restore', file]);
    await target.up();
    assert.ok((await bundleIn(target)).bytes.equals(bundleOf({ name: 'in-a-bucket' })));
    const keys = await driveKeys(target, await target.accessToken('ada'));
    assert.equal(await driveStatus(target, keys, 'GET', '/_my/home/a'), 200);
    await target.run(['down']);
    const again = await target.cli(['restore', file, '--replace']);
    assert.notEqual(again.code, 0);
    assert.match(again.stderr, /There are objects in s3:\/\/bucket\/haic\/ already/);
  });
});
