import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { type Hand, isSameBlob, rejectsWith, signal } from './contract-kit.ts';

/** Copies, conditions, what is known of a content beforehand, and listing by folder. */
export function copyContract({ store, put, read, etags, smallestPart }: Hand): void {
  const headOf = (key: string) => store().head(key, { signal });

  it('copies a blob with its type and metadata, and the copy is one of its own', async () => {
    const made = await put('copy/source', 'content', { contentType: 'text/plain', metadata: { a: 'b' } });
    const copied = await store().copy('copy/source', 'copy/target', { signal });
    isSameBlob(await headOf('copy/target'), copied);
    assert.deepEqual(
      [copied?.size, copied?.contentType, { ...copied?.metadata }],
      [made.size, 'text/plain', { a: 'b' }],
    );
    await store().delete('copy/source', { signal });
    assert.equal(await read('copy/target'), 'content');
    await put('copy/target', 'new');
    assert.equal(await read('copy/target'), 'new');
  });

  it('replaces type and metadata while copying, also onto itself', async () => {
    await put('copy/self', 'content', { contentType: 'text/plain', metadata: { a: 'b' } });
    await store().copy('copy/self', 'copy/self', { replace: { metadata: { c: 'd' } }, signal });
    const head = await headOf('copy/self');
    assert.deepEqual([head?.contentType, { ...head?.metadata }], ['application/octet-stream', { c: 'd' }]);
    assert.equal(await read('copy/self'), 'content');
  });

  it('copies a blob that came in parts', async () => {
    const upload = await store().createUpload('copy/parts', { contentType: 'x/y', signal });
    const long = 'a'.repeat(Math.max(smallestPart, 10));
    const parts = [];
    for (const [i, content] of [long, 'b'].entries())
      parts.push(await store().putPart(upload, i + 1, Readable.from([Buffer.from(content)]), { signal }));
    await store().completeUpload(upload, parts, { signal });
    await store().copy('copy/parts', 'copy/of parts', { signal });
    await store().delete('copy/parts', { signal });
    assert.equal((await headOf('copy/of parts'))?.contentType, 'x/y');
    assert.ok((await read('copy/of parts')) === `${long}b`);
  });

  it('copies nothing when the source is not there or is not the one that was meant', async () => {
    assert.equal(await store().copy('copy/never', 'copy/to', { signal }), undefined);
    const { etag } = await put('copy/meant', 'one');
    await put('copy/meant', 'two');
    await rejectsWith(
      store().copy('copy/meant', 'copy/to', { ifSourceMatch: etag, signal }),
      'blob_changed',
      412,
    );
    assert.equal(await headOf('copy/to'), undefined);
  });

  it('copies onto a key only when its condition holds', async () => {
    await put('copy/from', 'from');
    const { etag } = await put('copy/onto', 'onto');
    const copy = (condition: object) => store().copy('copy/from', 'copy/onto', { ...condition, signal });
    await rejectsWith(copy({ ifAbsent: true }), 'blob_exists', 409);
    await rejectsWith(copy({ ifMatch: `${etag}0` }), 'blob_changed', 412);
    assert.equal(await read('copy/onto'), 'onto');
    await copy({ ifMatch: etag });
    assert.equal(await read('copy/onto'), 'from');
  });

  it('replaces and deletes only what has the etag that was meant', async () => {
    const first = await put('match', 'first');
    const second = await put('match', 'second', { ifMatch: first.etag });
    await rejectsWith(put('match', 'third', { ifMatch: first.etag }), 'blob_changed', 412);
    await rejectsWith(put('match/never', 'x', { ifMatch: first.etag }), 'blob_changed', 412);
    await rejectsWith(store().delete('match', { ifMatch: first.etag, signal }), 'blob_changed', 412);
    assert.equal(await read('match'), 'second');
    await store().delete('match', { ifMatch: second.etag, signal });
    assert.equal(await headOf('match'), undefined);
    await rejectsWith(store().delete('match', { ifMatch: second.etag, signal }), 'blob_changed', 412);
  });

  it('lets exactly one of many win who replace the same content', async () => {
    const { etag } = await put('match/race', 'old');
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => put('match/race', `writer ${i}`, { ifMatch: etag })),
    );
    const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
    assert.equal(won.length, 1);
    assert.equal(await read('match/race'), `writer ${won[0]}`);
  });

  it('keeps nothing of a stream of another size or MD5', async () => {
    const md5 = createHash('md5').update('right').digest('hex');
    const made = await put('known', 'right', { size: 5, md5 });
    if (etags === 'md5') assert.equal(made.etag, md5);
    await rejectsWith(put('known', 'wrong', { md5 }), 'blob_corrupt', 400);
    for (const size of [4, 6]) await rejectsWith(put('known', 'wrong', { size }), 'blob_corrupt', 400);
    assert.equal(await read('known'), 'right');
  });

  it('lists a folder: its blobs, and once each what goes on below, page by page', async () => {
    const root = `folders-${randomUUID()}/`;
    const names = ['a', 'a/', 'a/1', 'a/2/3', 'a.', 'b/1', 'b//', 'c', '/x', '\uffee/1', '😀/1', '😀'];
    for (const name of names) await put(root + name, name);
    const list = async (prefix: string, delimiter: string, after?: string, limit?: number) => {
      const page = await store().list({
        prefix: root + prefix,
        delimiter,
        signal,
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit }),
      });
      const short = (text: string) => text.slice(root.length);
      return {
        blobs: page.blobs.map(({ key }) => short(key)),
        prefixes: page.prefixes.map(short),
        next: page.next,
      };
    };
    assert.deepEqual(await list('', '/'), {
      blobs: ['a', 'a.', 'c', '😀'],
      prefixes: ['/', 'a/', 'b/', '\uffee/', '😀/'],
      next: undefined,
    });
    assert.deepEqual(await list('a', '/'), { blobs: ['a', 'a.'], prefixes: ['a/'], next: undefined });
    assert.deepEqual(await list('a/', '/'), { blobs: ['a/', 'a/1'], prefixes: ['a/2/'], next: undefined });
    assert.deepEqual(await list('nothing/', '/'), { blobs: [], prefixes: [], next: undefined });
    assert.deepEqual(await list('', '.'), {
      blobs: ['/x', 'a', 'a/', 'a/1', 'a/2/3', 'b//', 'b/1', 'c', '\uffee/1', '😀', '😀/1'],
      prefixes: ['a.'],
      next: undefined,
    });
    for (const delimiter of ['/', '/1', '.']) {
      const whole = await list('', delimiter);
      for (const limit of [1, 2, 3]) {
        const blobs: string[] = [];
        const prefixes: string[] = [];
        for (let after: string | undefined, more = true; more; more = after !== undefined) {
          const page = await list('', delimiter, after, limit);
          assert.ok(page.next === undefined || page.blobs.length + page.prefixes.length === limit);
          blobs.push(...page.blobs);
          prefixes.push(...page.prefixes);
          after = page.next;
        }
        assert.deepEqual([blobs, prefixes], [whole.blobs, whole.prefixes], `${delimiter} by ${limit}`);
      }
    }
    await store().delete(`${root}\uffee/1`, { signal });
    assert.ok(!(await list('', '/')).prefixes.includes('\uffee/'));
  });
}
