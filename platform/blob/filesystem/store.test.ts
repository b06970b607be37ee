import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { blobContract } from '../contract.ts';
import { createFilesystemBlobStore } from './store.ts';

const signal = AbortSignal.timeout(120_000);

blobContract('filesystem', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-blobs-'));
  const store = await createFilesystemBlobStore({ directory });
  return { store, stop: () => rm(directory, { recursive: true }) };
});

describe('filesystem blob store', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-blobs-'));
  });
  after(() => rm(directory, { recursive: true }));
  const fresh = async (name: string) => {
    const own = path.join(directory, name);
    return { own, store: await createFilesystemBlobStore({ directory: own }) };
  };
  const filesOf = async (folder: string) =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();

  it('keeps a layout that a person can follow', async () => {
    const { own, store } = await fresh('layout');
    await store.put('bundles/hello 1.wave', Readable.from(['abc']), {
      contentType: 'application/zip',
      signal,
    });
    const [record, bytes, ...rest] = await filesOf(own);
    assert.deepEqual(rest, []);
    assert.equal(record, 'objects/bundles/hello 1.wave@.json');
    assert.match(bytes ?? '', /^objects\/bundles\/hello 1\.wave@[0-9a-f]{16}$/);
    assert.equal(await readFile(path.join(own, bytes ?? ''), 'utf8'), 'abc');
    assert.equal(JSON.parse(await readFile(path.join(own, record), 'utf8')).contentType, 'application/zip');
  });

  it('leaves no file and no folder behind after overwriting and deleting', async () => {
    const { own, store } = await fresh('tidy');
    for (const content of ['one', 'two', 'three'])
      await store.put('a/b/c', Readable.from([content]), { signal });
    assert.equal((await filesOf(own)).length, 2);
    await store.delete('a/b/c', { signal });
    assert.deepEqual(await filesOf(own), []);
    assert.deepEqual(await readdir(path.join(own, 'objects')), []);
  });

  it('keeps every path inside its folder', async () => {
    const { own, store } = await fresh('inside');
    await store.put('../../outside', Readable.from(['x']), { signal });
    assert.deepEqual(await readdir(own), ['objects', 'temporary']);
    assert.deepEqual(
      (await filesOf(path.join(own, 'objects'))).map((file) => file.split('@')[0]),
      ['%2E%2E/%2E%2E/outside', '%2E%2E/%2E%2E/outside'],
    );
  });

  it('passes over files that are not its own', async () => {
    const { own, store } = await fresh('foreign');
    await store.put('mine', Readable.from(['x']), { signal });
    for (const name of ['README', '.DS_Store', 'x@y@.json', '%ZZ@.json', '%41@.json'])
      await writeFile(path.join(own, 'objects', name), '{}');
    const { blobs } = await store.list({ prefix: '', signal });
    assert.deepEqual(
      blobs.map((blob) => blob.key),
      ['mine'],
    );
  });

  it('keeps every acknowledged blob, and no half one, when the process is killed at random points', async () => {
    const runs = Number(process.env.HAIC_KILL_RUNS ?? 8);
    const own = path.join(directory, 'killed');
    const acknowledged = new Map<string, string>();
    for (let run = 0; run < runs; run += 1) {
      await writeUntilKilled(own, run, 40 + ((run * 97) % 200), acknowledged);
      const store = await createFilesystemBlobStore({ directory: own });
      const { blobs } = await store.list({ prefix: '', signal });
      for (const blob of blobs) {
        const content = await text((await store.get(blob.key, { signal }))?.content ?? Readable.from([]));
        assert.equal(content.length, blob.size);
        assert.equal(content, (content[0] ?? '').repeat(300_000), 'one writer, whole');
      }
      for (const key of acknowledged.keys())
        assert.ok(
          blobs.some((blob) => blob.key === key),
          `${key} is lost`,
        );
      assert.equal((await filesOf(path.join(own, 'objects'))).length, blobs.length * 2, 'no stray file');
      assert.equal((await filesOf(path.join(own, 'temporary'))).length, 0, 'the temporary files are swept');
    }
    assert.ok(acknowledged.size > 0);
  });

  it('sweeps nothing that a living process is writing', async () => {
    const { own, store } = await fresh('shared');
    const slow = new Readable({ read() {} });
    const putting = store.put('slow', slow, { signal });
    slow.push('first ');
    await createFilesystemBlobStore({ directory: own });
    slow.push('second');
    slow.push(null);
    await putting;
    assert.equal(
      await text((await store.get('slow', { signal }))?.content ?? Readable.from([])),
      'first second',
    );
  });

  const mayMount = process.getuid?.() === 0;
  it('answers a full disk with 507, keeps the old content and recovers', {
    skip: !mayMount && 'needs root to mount a tmpfs',
  }, async () => {
    const own = path.join(directory, 'full');
    await mkdir(own);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', own]);
    try {
      const store = await createFilesystemBlobStore({ directory: own });
      await store.put('kept', Readable.from(['old']), { signal });
      for (const key of ['kept', 'other/new'])
        await assert.rejects(
          store.put(key, Readable.from([Buffer.alloc(3_000_000)]), { signal }),
          (error) =>
            error instanceof HaicError && error.status === 507 && error.code === 'insufficient_storage',
        );
      assert.equal(await text((await store.get('kept', { signal }))?.content ?? Readable.from([])), 'old');
      assert.equal((await filesOf(own)).length, 2, 'nothing of the refused ones is left');
      await store.put('kept', Readable.from([Buffer.alloc(1_000_000)]), { signal });
      assert.equal(
        (await buffer((await store.get('kept', { signal }))?.content ?? Readable.from([]))).length,
        1_000_000,
      );
    } finally {
      execFileSync('umount', [own]);
    }
  });
});

/** A child overwrites a few keys without end and says what was acknowledged; it is killed after so many acknowledgements. */
async function writeUntilKilled(
  own: string,
  run: number,
  milliseconds: number,
  acknowledged: Map<string, string>,
) {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'writer.fixture.ts'), own, String(run)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), milliseconds);
    output += chunk;
  });
  await once(child, 'close');
  for (const line of output.split('\n').slice(0, -1)) acknowledged.set(line, line);
}
