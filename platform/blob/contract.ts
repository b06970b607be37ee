import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer, text as textOf } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HaicError } from '@haic/kit/errors.ts';
import { copyContract } from './contract-copies.ts';
import {
  createHand,
  giveUpAtEachMoment,
  type Hand,
  isSameBlob,
  rejectsWith,
  signal,
} from './contract-kit.ts';
import { uploadContract } from './contract-uploads.ts';
import type { BlobStore } from './port.ts';

/** Keys that S3 allows and that file systems, URLs or careless code trip over. */
export const hostileKeys: readonly string[] = [
  '..',
  '.',
  '../../etc/passwd',
  'a/../b',
  'a/./b',
  '/absolute',
  '/',
  '//',
  'a//b',
  'a/',
  'a//',
  'nul\0byte',
  'new\nline',
  '\u0001\u007f\u0085',
  'back\\slash',
  'C:\\con',
  '%',
  '%2E%2E',
  '%00',
  '@',
  'a@.json',
  'a@0123456789abcdef',
  'a@+',
  ' leading and trailing ',
  'Case',
  'case',
  'e\u0301',
  '\u00e9',
  '\u202etxt.exe',
  '\ufeff',
  '😀/😀',
  '*?"<>|:',
  '__proto__',
  'x'.repeat(1024),
  'x'.repeat(1200),
  '\0'.repeat(1200),
  '\0'.repeat(1024),
  'a/'.repeat(512),
  '/'.repeat(1024),
  '..'.repeat(512),
  '😀'.repeat(256),
  `${'long'.repeat(80)}/inside`,
];

/**
 * What every adapter of the blob port does. `makeStore` gives an empty store. `smallestPart`: bytes that a part must have unless it is
 * the last one; `etags: 'md5'` for a store whose etags S3 clients see.
 */
export function blobContract(
  name: string,
  makeStore: () => Promise<{ store: BlobStore; stop?: () => Promise<void> }>,
  { smallestPart = 1, etags = 'opaque' }: Partial<Pick<Hand, 'smallestPart' | 'etags'>> = {},
): void {
  describe(`blob store: ${name}`, () => {
    let store: BlobStore;
    let stop: (() => Promise<void>) | undefined;
    before(async () => ({ store, stop } = { stop: undefined, ...(await makeStore()) }));
    after(async () => stop?.());

    const hand = createHand(() => store, { smallestPart, etags });
    const { put, read } = hand;
    const keysOf = async (options: { prefix: string; after?: string; limit?: number }) =>
      (await store.list({ ...options, signal })).blobs.map((blob) => blob.key);

    it('gives back what was put, with its type and metadata', async () => {
      const made = await put('one/two.txt', 'hello', {
        contentType: 'text/plain',
        metadata: { a: 'b', ü: '€' },
      });
      const head = await store.head('one/two.txt', { signal });
      isSameBlob(head, made);
      assert.equal(head?.key, 'one/two.txt');
      assert.equal(head?.size, 5);
      assert.equal(head?.contentType, 'text/plain');
      assert.deepEqual({ ...head?.metadata }, { a: 'b', ü: '€' });
      assert.equal(await read('one/two.txt'), 'hello');
    });

    it('keeps an empty blob', async () => {
      await store.put('empty', Readable.from([]), { signal });
      assert.equal((await store.head('empty', { signal }))?.size, 0);
      assert.equal(await read('empty'), '');
    });

    it('knows nothing of a key that was never put', async () => {
      assert.equal(await store.head('never', { signal }), undefined);
      assert.equal(await store.get('never', { signal }), undefined);
      await store.delete('never', { signal });
    });

    it('replaces a blob whole, and its etag changes exactly with the content', async () => {
      const first = await put('etag', 'first', { contentType: 'text/plain' });
      const second = await put('etag', 'second');
      assert.notEqual(second.etag, first.etag);
      assert.equal((await put('etag', 'second')).etag, second.etag);
      assert.equal(await read('etag'), 'second');
      assert.notEqual((await store.head('etag', { signal }))?.contentType, 'text/plain');
    });

    it('goes on reading the old content while the blob is replaced and deleted', async () => {
      const old = randomBytes(3_000_000);
      await put('busy', old);
      const open = await store.get('busy', { signal });
      await put('busy', 'new');
      await store.delete('busy', { signal });
      assert.ok(open !== undefined && (await buffer(open.content)).equals(old));
      assert.equal(await store.head('busy', { signal }), undefined);
    });

    it('reads ranges, both ends inclusive and the end clipped', async () => {
      await put('range', '0123456789');
      assert.equal(await read('range', { start: 0, end: 0 }), '0');
      assert.equal(await read('range', { start: 3, end: 5 }), '345');
      assert.equal(await read('range', { start: 7 }), '789');
      assert.equal(await read('range', { start: 7, end: 700 }), '789');
    });

    it('says the same of a blob whether all, a part or nothing of it is read', async () => {
      const attributes = { contentType: 'text/plain', metadata: { a: 'b', ü: '€' } };
      await put('told', '0123456789', attributes);
      const upload = await store.createUpload('told in parts', { ...attributes, signal });
      const part = await store.putPart(upload, 1, Readable.from([Buffer.from('0123456789')]), { signal });
      await store.completeUpload(upload, [part], { signal });
      for (const key of ['told', 'told in parts']) {
        const head = await store.head(key, { signal });
        assert.deepEqual([head?.size, head?.contentType], [10, 'text/plain']);
        for (const more of [{}, { range: { start: 1, end: 1 } }]) {
          const found = await store.get(key, { ...more, signal });
          found?.content.destroy();
          isSameBlob(found?.info, head);
        }
      }
    });

    it('refuses a range that is not in the blob', async () => {
      await put('range', '0123456789');
      for (const range of [
        { start: 10 },
        { start: 5, end: 4 },
        { start: -1 },
        { start: 0.5 },
        { start: Number.NaN },
      ])
        await rejectsWith(store.get('range', { range, signal }), 'range_not_satisfiable', 416);
    });

    it('sends to a stream just what reading gives, where it can, and stops with its target', async () => {
      const text = Array.from({ length: 400_000 }, (_, i) => i.toString(36)).join('');
      await put('sent', text);
      for (const range of [undefined, { start: 700_001, end: 1_500_000 }]) {
        const target = new PassThrough();
        const sent = textOf(target);
        const blob = await store.get('sent', { ...(range === undefined ? {} : { range }), signal });
        assert.ok(blob !== undefined);
        if (blob.sendTo === undefined) blob.content.pipe(target);
        else await blob.sendTo(target, { signal }).then(() => target.end());
        assert.equal(await sent, range === undefined ? text : text.slice(range.start, range.end + 1));
      }
      const { content, sendTo } = (await store.get('sent', { signal })) ?? {};
      const gone = new AbortController();
      const stuck = new Writable({ write: () => gone.abort(new Error('the target is gone')) });
      if (sendTo === undefined) content?.on('error', () => {}).destroy();
      else await assert.rejects(sendTo(stuck, { signal: gone.signal }), /the target is gone/);
      assert.ok(content?.destroyed);
    });

    it('keeps nothing of a stream that is longer than allowed', async () => {
      await put('limited', 'old');
      await put('limited', 'four', { maxBytes: 4 });
      await rejectsWith(put('limited', 'five!', { maxBytes: 4 }), 'blob_too_large', 413);
      await rejectsWith(put('limited-new', 'five!', { maxBytes: 4 }), 'blob_too_large', 413);
      assert.equal(await read('limited'), 'four');
      assert.equal(await store.head('limited-new', { signal }), undefined);
    });

    it('keeps nothing of a stream whose digest is another one', async () => {
      const sha256 = createHash('sha256').update('right').digest('hex');
      await put('digest', 'right', { sha256 });
      await rejectsWith(put('digest', 'wrong', { sha256 }), 'blob_corrupt', 400);
      assert.equal(await read('digest'), 'right');
    });

    it('keeps nothing of a stream that breaks or ends early', async () => {
      await put('broken', 'old');
      const breaking = Readable.from(
        (async function* () {
          yield Buffer.from('half');
          await nextTurn();
          throw new Error('the line went dead');
        })(),
      );
      await assert.rejects(store.put('broken', breaking, { signal }), /the line went dead/);
      const ending = new Readable({ read() {} });
      ending.push('half');
      const putting = assert.rejects(store.put('broken', ending, { signal }));
      await nextTurn();
      ending.destroy();
      await putting;
      assert.equal(await read('broken'), 'old');
    });

    it('stops and keeps nothing when the caller gives up', async () => {
      const giveUp = new AbortController();
      const endless = new Readable({ read() {} });
      endless.push('half');
      const putting = store.put('abandoned', endless, { signal: giveUp.signal });
      await nextTurn();
      giveUp.abort(new Error('enough'));
      await assert.rejects(putting, /enough/);
      assert.ok(endless.destroyed);
      assert.equal(await store.head('abandoned', { signal }), undefined);
      await assert.rejects(store.head('x', { signal: AbortSignal.abort(new Error('too late')) }), /too late/);
    });

    it('ends nothing but the reading when who asked for it gives up, at whatever moment', async () => {
      const text = 'x'.repeat(300_000);
      await put('given-up', text);
      await giveUpAtEachMoment(store, 'given-up');
      assert.equal(await read('given-up'), text);
    });

    it('lets exactly one of many win when the key must be absent', async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, (_, i) => put('race', `writer ${i}`, { ifAbsent: true })),
      );
      const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      assert.equal(won.length, 1);
      assert.equal(await read('race'), `writer ${won[0]}`);
      for (const result of results)
        if (result.status === 'rejected') assert.equal((result.reason as HaicError).code, 'blob_exists');
      await rejectsWith(put('race', 'later', { ifAbsent: true }), 'blob_exists', 409);
      await store.delete('race', { signal });
      await put('race', 'again', { ifAbsent: true });
    });

    it('shows one writer whole when many overwrite, read and delete one key', async () => {
      const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(200_000));
      const seen: (string | undefined)[] = [];
      await Promise.all([
        ...contents.map((content) => put('contended', content)),
        ...Array.from({ length: 20 }, async () => seen.push(await read('contended'))),
        store.delete('contended', { signal }),
      ]);
      seen.push(await read('contended'));
      for (const content of seen) assert.ok(content === undefined || contents.includes(content));
    });

    it('lists in byte order of the keys, page by page', async () => {
      const root = `list-${randomUUID()}/`;
      const names = [
        'a',
        'a!',
        'a-b',
        'a.b',
        'a/',
        'a/b',
        'a/b/c',
        'a//',
        'a0',
        'aa',
        'A',
        'b/c',
        '\u00e9',
        '\uffee',
        '😀',
      ];
      for (const long of ['z', 'zz', 'zz\u0001', '\u20ac'])
        names.push('l'.repeat(218) + long, `${'l'.repeat(218)}${long}/x`);
      for (const name of names) await put(root + name, name);
      const sorted = names
        .map((name) => root + name)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await keysOf({ prefix: root }), sorted);
      for (const limit of [1, 2, 5]) {
        const pages: string[] = [];
        for (let last: string | undefined, more = true; more; more = last !== undefined) {
          const page = await store.list({
            prefix: root,
            limit,
            signal,
            ...(last === undefined ? {} : { after: last }),
          });
          assert.ok(page.blobs.length === limit || page.next === undefined);
          pages.push(...page.blobs.map((blob) => blob.key));
          last = page.next;
        }
        assert.deepEqual(pages, sorted);
      }
      for (const prefix of [
        'a',
        'a/',
        'a/b',
        'b/c',
        'b/c/',
        '\u00e9',
        'lll',
        `${'l'.repeat(218)}zz`,
        'nothing',
      ])
        assert.deepEqual(
          await keysOf({ prefix: root + prefix }),
          sorted.filter((key) => key.startsWith(root + prefix)),
        );
      for (const start of ['', 'a', 'a/', 'a/a', 'a/b', 'a.', 'l', '~', '\u{10ffff}']) {
        const bytes = Buffer.from(root + start);
        const expected = sorted.filter((key) => Buffer.compare(Buffer.from(key), bytes) > 0);
        assert.deepEqual(await keysOf({ prefix: root, after: root + start }), expected, `after "${start}"`);
      }
    });

    it('lists what is true of each blob', async () => {
      const { key, size, etag } = await put('listed/one', 'x', { contentType: 'text/css' });
      const { modifiedAt } = (await store.head('listed/one', { signal })) ?? {};
      const { blobs, prefixes } = await store.list({ prefix: 'listed/', signal });
      const [listed] = blobs;
      assert.deepEqual([listed?.key, listed?.size, listed?.etag], [key, size, etag]);
      // A store may tell seconds in the one place and milliseconds in the other.
      assert.ok(Math.abs(Number(listed?.modifiedAt) - Number(modifiedAt)) < 1000);
      assert.deepEqual(prefixes, []);
      await store.delete('listed/one', { signal });
      assert.deepEqual((await store.list({ prefix: 'listed/', signal })).blobs, []);
    });

    it('keeps hostile keys apart from each other and finds each again', async () => {
      for (const key of hostileKeys) await put(key, `content of ${key}`);
      for (const key of hostileKeys) {
        assert.equal(await read(key), Buffer.from(`content of ${key}`).toString('latin1'));
        assert.ok((await keysOf({ prefix: key })).includes(key), JSON.stringify(key));
      }
      const all = await keysOf({ prefix: '' });
      for (const key of hostileKeys) assert.equal(all.filter((other) => other === key).length, 1);
      for (const key of hostileKeys) await store.delete(key, { signal });
      for (const key of hostileKeys) assert.equal(await store.head(key, { signal }), undefined);
    });

    it('refuses what is no key', async () => {
      for (const key of ['', 'x'.repeat(1201), 'é'.repeat(601), 'lone \ud800 surrogate'])
        await Promise.all(
          [
            put(key, ''),
            store.get(key, { signal }),
            store.head(key, { signal }),
            store.delete(key, { signal }),
          ].map((call) => rejectsWith(call, 'invalid_blob_key', 400)),
        );
    });

    it('streams: a blob far larger than any buffer passes with its backpressure', async () => {
      const chunk = Buffer.alloc(1024 * 1024, 7);
      let made = 0;
      const content = new Readable({
        highWaterMark: 1,
        read() {
          made += 1;
          this.push(made > 64 ? null : chunk);
        },
      });
      await store.put('large', content, { signal });
      const got = await store.get('large', { signal });
      let size = 0;
      for await (const part of got?.content ?? []) size += (part as Buffer).length;
      assert.equal(size, 64 * chunk.length);
    });

    copyContract(hand);
    uploadContract(hand);
  });
}
