import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { blobContract } from '../contract.ts';
import { rejectsWith } from '../contract-kit.ts';
import type { BlobPart, UploadRef } from '../port.ts';
import { createFilesystemBlobStore } from './store.ts';

const signal = AbortSignal.timeout(120_000);

for (const [name, more] of [
  ['filesystem', {}],
  ['filesystem, every content beside its record', { smallestBeside: 0 }],
] as const)
  blobContract(
    name,
    async () => {
      const directory = await mkdtemp(path.join(tmpdir(), 'haic-blobs-'));
      const store = await createFilesystemBlobStore({ directory, etags: 'md5', ...more });
      return { store, stop: () => rm(directory, { recursive: true }) };
    },
    { etags: 'md5' },
  );

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

  it('keeps a small content in the file of its record, behind a line about it', async () => {
    const { own, store } = await fresh('within');
    for (const size of [0, 3, 70_000, 131_071]) {
      const content = Buffer.alloc(size, 'line\n');
      const put = await store.put('notes/a.txt', Readable.from([content]), { size, signal });
      assert.deepEqual(await filesOf(own), ['objects/notes/a.txt@.json']);
      const file = await readFile(path.join(own, 'objects/notes/a.txt@.json'));
      const end = file.indexOf('\n');
      assert.equal(JSON.parse(file.toString('utf8', 0, end)).size, size);
      assert.deepEqual(file.subarray(end + 1), content);
      const found = await store.get('notes/a.txt', { signal });
      assert.deepEqual(found?.bytes, content);
      assert.deepEqual(found.info, put);
      assert.deepEqual(await store.head('notes/a.txt', { signal }), put);
    }
    await store.put('notes/a.txt', Readable.from([Buffer.alloc(131_072)]), { size: 131_072, signal });
    assert.equal((await filesOf(own)).length, 2, 'a larger one is beside it');
    await store.put('notes/a.txt', Readable.from(['abc']), { size: 3, signal });
    assert.equal((await filesOf(own)).length, 1, 'and goes when it is replaced');
    await store.copy('notes/a.txt', 'copy', { signal });
    await store.delete('notes/a.txt', { signal });
    assert.deepEqual(await filesOf(own), ['objects/copy@.json']);
    assert.equal(await text((await store.get('copy', { signal }))?.content ?? Readable.from([])), 'abc');
  });

  it('reads records with long metadata, and those of the first releases', async () => {
    const { own, store } = await fresh('records');
    const metadata = { note: '"'.repeat(6000) };
    await store.put('within', Readable.from(['abc']), { size: 3, metadata, signal });
    await store.put('beside', Readable.from(['abc']), { metadata, signal });
    const first = path.join(own, 'objects', 'beside@.json');
    const { etag, ...rest } = JSON.parse(await readFile(first, 'utf8'));
    await writeFile(first, JSON.stringify({ ...rest, sha256: etag }, undefined, 2));
    for (const key of ['within', 'beside']) {
      const found = await store.get(key, { signal });
      assert.equal(await text(found?.content ?? Readable.from([])), 'abc');
      assert.deepEqual(found?.info.metadata, metadata);
      assert.deepEqual(await store.head(key, { signal }), found?.info);
    }
    await store.put('beside', Readable.from(['new']), { size: 3, ifMatch: etag, signal });
    assert.equal((await filesOf(own)).length, 2);
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
    assert.deepEqual((await readdir(own)).sort(), ['objects', 'temporary', 'uploads']);
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

  it('keeps every acknowledged blob and part, and no half one, when the process is killed at random points', async () => {
    const runs = Number(process.env.HAIC_KILL_RUNS ?? 8);
    const own = path.join(directory, 'killed');
    const acknowledged = new Set<string>();
    for (let run = 0; run < runs; run += 1) {
      const facts = await writeUntilKilled(own, run, 40 + ((run * 97) % 200));
      for (const { key } of facts) if (key !== undefined) acknowledged.add(key);
      const store = await createFilesystemBlobStore({ directory: own });
      const completed = new Set(facts.map(({ uploadId }) => uploadId));
      for (const { upload, parts } of facts)
        if (upload !== undefined && !completed.has(upload.uploadId))
          await store.completeUpload(upload, parts ?? [], { signal });
      const { blobs } = await store.list({ prefix: '', signal });
      for (const blob of blobs) {
        const content = await text((await store.get(blob.key, { signal }))?.content ?? Readable.from([]));
        assert.equal(content.length, blob.size);
        assert.ok([300_000, 100_000].includes(blob.size));
        assert.ok(content === (content[0] ?? '').repeat(blob.size), 'one writer, whole');
      }
      for (const key of acknowledged)
        assert.ok(
          blobs.some((blob) => blob.key === key),
          `${key} is lost`,
        );
      const inParts = blobs.filter((blob) => blob.etag.endsWith('-3')).length;
      const files = await filesOf(path.join(own, 'objects'));
      const within = blobs.filter((blob) => blob.size === 100_000).length;
      assert.equal(files.length, blobs.length * 2 - within + inParts * 3, 'no stray file');
      assert.equal((await filesOf(path.join(own, 'temporary'))).length, 0, 'the temporary files are swept');
      const { uploads } = await store.listUploads({ prefix: '', signal });
      for (const upload of uploads) await store.abortUpload(upload, { signal });
      assert.deepEqual(await readdir(path.join(own, 'uploads')), []);
    }
    assert.ok(acknowledged.size > 0);
  });

  it('keeps the parts of an upload as files that a person can put together', async () => {
    const { own, store } = await fresh('parts');
    const upload = await store.createUpload('big.csv', { signal });
    const parts = [];
    for (const [i, content] of ['one ', 'two ', 'three'].entries())
      parts.push(await store.putPart(upload, i + 1, Readable.from([content]), { signal }));
    await store.putPart(upload, 4, Readable.from(['left out']), { signal });
    await store.completeUpload(upload, parts, { signal });
    const [record, ...rest] = await filesOf(own);
    assert.equal(record, 'objects/big.csv@.json');
    assert.deepEqual(
      rest.map((file) => /^objects\/big\.csv@[0-9a-f]{16}\/(\d{5}|parts)\./.exec(file)?.[1]),
      ['00001', '00002', '00003', 'parts'],
    );
    const contents = await Promise.all(
      rest.slice(0, 3).map((file) => readFile(path.join(own, file), 'utf8')),
    );
    assert.equal(contents.join(''), 'one two three');
    await store.delete('big.csv', { signal });
    assert.deepEqual(await filesOf(own), []);
  });

  it('copies by another name of the same bytes, which takes no space', async () => {
    const { own, store } = await fresh('copies');
    await store.put('one', Readable.from(['content']), { signal });
    await store.copy('one', 'two', { signal });
    const inodes = [];
    for (const file of await filesOf(own))
      if (!file.endsWith('.json')) inodes.push((await stat(path.join(own, file))).ino);
    assert.equal(inodes.length, 2);
    assert.equal(new Set(inodes).size, 1);
  });

  it('pages through a large folder that changes meanwhile, and tells what is true', async () => {
    const { own, store } = await fresh('large');
    await store.put('folder/00000', Readable.from(['x']), { signal });
    const folder = path.join(own, 'objects', 'folder');
    const record = JSON.parse(await readFile(path.join(folder, '00000@.json'), 'utf8'));
    const keys = Array.from({ length: 5_000 }, (_, i) => `folder/${String(i).padStart(5, '0')}`);
    for (const key of keys.slice(1))
      await writeFile(path.join(folder, `${path.basename(key)}@.json`), JSON.stringify({ ...record, key }));
    // Settled: from now on its names are remembered until it changes.
    const past = new Date(Date.now() - 60_000);
    await utimes(folder, past, past);
    const all = async () => {
      const seen: string[] = [];
      for (let after: string | undefined, more = true; more; more = after !== undefined) {
        const page = await store.list({
          prefix: 'folder/',
          signal,
          ...(after === undefined ? {} : { after }),
        });
        seen.push(...page.blobs.map(({ key }) => key));
        after = page.next;
      }
      return seen;
    };
    assert.deepEqual(await all(), keys);
    assert.deepEqual(await all(), keys);
    await store.put('folder/00000!', Readable.from(['x']), { signal });
    await store.delete('folder/04999', { signal });
    assert.deepEqual(await all(), [keys[0], 'folder/00000!', ...keys.slice(1, -1)]);
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
      const upload = await store.createUpload('kept', { signal });
      const part = await store.putPart(upload, 1, Readable.from(['part']), { signal });
      const tooMuch = () => Readable.from([Buffer.alloc(3_000_000)]);
      for (const call of [
        () => store.put('kept', tooMuch(), { signal }),
        () => store.put('other/new', tooMuch(), { signal }),
        () => store.putPart(upload, 1, tooMuch(), { signal }),
        () => store.putPart(upload, 2, tooMuch(), { signal }),
      ])
        await assert.rejects(
          call(),
          (error) =>
            error instanceof HaicError && error.status === 507 && error.code === 'insufficient_storage',
        );
      assert.deepEqual((await store.listParts(upload, { signal })).parts, [part]);
      const large = await store.put('large', Readable.from([Buffer.alloc(200_000)]), { signal });
      const filler = path.join(own, 'filler');
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null || true`]);
      for (const call of [
        () => store.copy('large', 'kept', { signal }),
        () => store.completeUpload(upload, [part], { signal }),
      ])
        await rejectsWith(call(), 'insufficient_storage', 507);
      await rm(filler);
      assert.deepEqual((await store.listParts(upload, { signal })).parts, [part]);
      assert.equal((await store.copy('large', 'copy', { signal }))?.size, large.size);
      for (const key of ['large', 'copy']) await store.delete(key, { signal });
      await store.abortUpload(upload, { signal });
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

interface Fact {
  readonly key?: string;
  readonly uploadId?: string;
  readonly upload?: UploadRef;
  readonly parts?: readonly BlobPart[];
}

/** A child overwrites a few keys without end and says what was acknowledged; it is killed so long after its first word. */
async function writeUntilKilled(own: string, run: number, milliseconds: number): Promise<Fact[]> {
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
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Fact);
}
