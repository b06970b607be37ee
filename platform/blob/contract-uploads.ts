import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { giveUpAtEachMoment, type Hand, isSameBlob, rejectsWith, signal } from './contract-kit.ts';
import type { BlobPart, ContentOptions, UploadRef } from './port.ts';

const md5 = (content: string | Buffer) => createHash('md5').update(content).digest('hex');

/** Blobs that arrive in parts. */
export function uploadContract(hand: Hand): void {
  const { store, put, read } = hand;
  /** Long enough for any place but the last. */
  const long = (letter: string) => letter.repeat(Math.max(hand.smallestPart, 10));
  const send = (
    upload: UploadRef,
    partNumber: number,
    content: string,
    options: Partial<ContentOptions> = {},
  ) => store().putPart(upload, partNumber, Readable.from([Buffer.from(content)]), { signal, ...options });
  const begin = (key: string) => store().createUpload(key, { signal });
  const complete = (upload: UploadRef, parts: readonly BlobPart[], condition = {}) =>
    store().completeUpload(upload, parts, { signal, ...condition });

  it('makes one blob of parts that came in any order and side by side', async () => {
    const upload = await store().createUpload('parts/whole', {
      contentType: 'text/csv',
      metadata: { a: 'ü' },
      signal,
    });
    const third = await send(upload, 30, 'the end');
    const [first, second] = await Promise.all([send(upload, 1, long('a')), send(upload, 2, long('b'))]);
    assert.equal(await store().head('parts/whole', { signal }), undefined, 'nothing is seen before the end');
    const made = await complete(upload, [first, second, third]);
    const expected = `${long('a')}${long('b')}the end`;
    assert.equal(made.size, expected.length);
    assert.deepEqual([made.contentType, { ...made.metadata }], ['text/csv', { a: 'ü' }]);
    isSameBlob(await store().head('parts/whole', { signal }), made);
    await giveUpAtEachMoment(store(), 'parts/whole');
    assert.equal(md5((await read('parts/whole')) ?? ''), md5(expected));
    const edge = long('a').length;
    for (const [start, end] of [
      [0, 0],
      [edge - 2, edge + 1],
      [edge, edge],
      [edge - 1, 2 * edge],
      [2 * edge + 1, 10 * edge],
    ] as const)
      assert.equal(await read('parts/whole', { start, end }), expected.slice(start, end + 1));
    if (hand.etags === 'md5') {
      const sums = [long('a'), long('b'), 'the end'].map((part) => Buffer.from(md5(part), 'hex'));
      assert.equal(made.etag, `${md5(Buffer.concat(sums))}-3`);
      assert.equal(first.etag, md5(long('a')));
    }
  });

  it('takes the part that was sent last for a number, and only the parts that are named', async () => {
    const upload = await begin('parts/again');
    const old = await send(upload, 1, long('o'));
    const first = await send(upload, 1, long('n'));
    await send(upload, 2, long('left out'));
    const last = await send(upload, 3, 'z');
    await rejectsWith(complete(upload, [old, last]), 'invalid_part', 400);
    await complete(upload, [first, last]);
    assert.equal(await read('parts/again'), `${long('n')}z`);
  });

  it('refuses parts that were not sent, have another etag or are not in order, and the upload lives on', async () => {
    const upload = await begin('parts/refused');
    const first = await send(upload, 1, long('a'));
    const second = await send(upload, 2, 'b');
    await rejectsWith(complete(upload, []), 'invalid_part_order', 400);
    await rejectsWith(complete(upload, [second, first]), 'invalid_part_order', 400);
    await rejectsWith(complete(upload, [first, first]), 'invalid_part_order', 400);
    await rejectsWith(complete(upload, [first, { ...second, partNumber: 3 }]), 'invalid_part', 400);
    await rejectsWith(complete(upload, [first, { ...second, etag: first.etag }]), 'invalid_part', 400);
    assert.equal(await store().head('parts/refused', { signal }), undefined);
    await complete(upload, [first, second]);
    assert.equal(await read('parts/refused'), `${long('a')}b`);
  });

  it('refuses part numbers that are none', async () => {
    const upload = await begin('parts/numbers');
    for (const number of [0, -1, 1.5, 10_001, Number.NaN])
      await rejectsWith(send(upload, number, 'x'), 'invalid_part', 400);
    const last = await send(upload, 10_000, 'x');
    await complete(upload, [last]);
    assert.equal(await read('parts/numbers'), 'x');
  });

  it('keeps nothing of a part that is too long, another one, or breaks', async () => {
    const upload = await begin('parts/broken');
    const kept = await send(upload, 1, 'kept', { size: 4, md5: md5('kept') });
    await rejectsWith(send(upload, 1, 'too long', { maxBytes: 4 }), 'blob_too_large', 413);
    await rejectsWith(send(upload, 1, 'short', { size: 6 }), 'blob_corrupt', 400);
    await rejectsWith(send(upload, 1, 'wrong', { md5: md5('right') }), 'blob_corrupt', 400);
    const sha256 = createHash('sha256').update('right').digest('hex');
    await rejectsWith(send(upload, 1, 'wrong', { sha256 }), 'blob_corrupt', 400);
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        await nextTurn();
        throw new Error('the line went dead');
      })(),
    );
    await assert.rejects(store().putPart(upload, 2, breaking, { signal }), /the line went dead/);
    const { parts } = await store().listParts(upload, { signal });
    assert.deepEqual(
      parts.map(({ etag, size }) => [etag, size]),
      [[kept.etag, 4]],
    );
    await complete(upload, [kept]);
    assert.equal(await read('parts/broken'), 'kept');
  });

  it('lists the parts of an upload, page by page', async () => {
    const upload = await store().createUpload('parts/listed', {
      contentType: 'a/b',
      metadata: { 'o-size': '7' },
      signal,
    });
    const sent = await Promise.all([3, 1, 7].map((number) => send(upload, number, `part ${number}`)));
    const expected = sent.sort((a, b) => a.partNumber - b.partNumber);
    const named = ({ partNumber, size, etag }: BlobPart) => ({ partNumber, size, etag });
    const all = await store().listParts(upload, { signal });
    assert.deepEqual([all.parts.map(named), all.more], [expected.map(named), false]);
    assert.deepEqual(
      [all.upload.key, all.upload.contentType, { ...all.upload.metadata }],
      ['parts/listed', 'a/b', { 'o-size': '7' }],
    );
    const page = await store().listParts(upload, { limit: 2, signal });
    assert.deepEqual([page.parts.map(named), page.more], [expected.slice(0, 2).map(named), true]);
    const rest = await store().listParts(upload, { after: 3, signal });
    assert.deepEqual([rest.parts.map(named), rest.more], [expected.slice(2).map(named), false]);
    await store().abortUpload(upload, { signal });
  });

  it('lists uploads by prefix, page by page, in order of keys and ids', async () => {
    const root = `uploads-${randomUUID()}/`;
    const keys = [`${root}b`, `${root}a`, `${root}a`, `${root}\uffee`, `${root}😀`, `other-${root}`];
    const begun = [];
    for (const key of keys) begun.push(await begin(key));
    const named = ({ key, uploadId }: UploadRef) => `${key} ${uploadId}`;
    const expected = begun
      .filter(({ key }) => key.startsWith(root))
      .sort(
        (a, b) =>
          Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || (a.uploadId < b.uploadId ? -1 : 1),
      )
      .map(named);
    const { uploads, more } = await store().listUploads({ prefix: root, signal });
    assert.deepEqual([uploads.map(named), more], [expected, false]);
    assert.ok(Math.abs(Date.now() - (uploads[0]?.startedAt.getTime() ?? 0)) < 600_000);
    const pages: string[] = [];
    for (let after: UploadRef | undefined, next = true; next; ) {
      const page = await store().listUploads({ prefix: root, limit: 2, signal, ...(after && { after }) });
      pages.push(...page.uploads.map(named));
      after = page.uploads.at(-1);
      next = page.more;
    }
    assert.deepEqual(pages, expected);
    const behind = await store().listUploads({ prefix: root, after: { key: `${root}a` }, signal });
    assert.deepEqual(
      behind.uploads.map(named),
      expected.slice(2),
      'without an id all of the key are passed over',
    );
    for (const upload of begun) await store().abortUpload(upload, { signal });
    assert.deepEqual((await store().listUploads({ prefix: root, signal })).uploads, []);
  });

  it('knows nothing of an upload that was given up, never begun, or is of another key', async () => {
    const upload = await begin('parts/gone');
    const part = await send(upload, 1, 'x');
    const other = { ...upload, key: 'parts/other' };
    const calls = (ref: UploadRef) => [
      () => send(ref, 1, 'x'),
      () => store().listParts(ref, { signal }),
      () => complete(ref, [part]),
      () => store().abortUpload(ref, { signal }),
    ];
    for (const call of calls(other)) await rejectsWith(call(), 'no_such_upload', 404);
    await store().abortUpload(upload, { signal });
    for (const uploadId of [upload.uploadId, '', '../..', 'f'.repeat(32), `${upload.uploadId}/../x`, '\0'])
      for (const call of calls({ ...upload, uploadId })) await rejectsWith(call(), 'no_such_upload', 404);
    assert.equal(await store().head('parts/gone', { signal }), undefined);
  });

  it('gives the same answer when it is completed again, until the blob is replaced', async () => {
    const upload = await begin('parts/twice');
    const part = await send(upload, 1, 'x');
    const first = await complete(upload, [part]);
    const again = await complete(upload, [part]);
    assert.deepEqual([again.etag, again.size], [first.etag, first.size]);
    await put('parts/twice', 'new');
    await rejectsWith(complete(upload, [part]), 'no_such_upload', 404);
    assert.equal(await read('parts/twice'), 'new');
  });

  it('completes only when its condition holds, and can be completed later', async () => {
    await put('parts/condition', 'old');
    const upload = await begin('parts/condition');
    const part = await send(upload, 1, 'new');
    await rejectsWith(complete(upload, [part], { ifAbsent: true }), 'blob_exists', 409);
    await rejectsWith(complete(upload, [part], { ifMatch: part.etag }), 'blob_changed', 412);
    assert.equal(await read('parts/condition'), 'old');
    const ifMatch = (await store().head('parts/condition', { signal }))?.etag;
    await complete(upload, [part], { ifMatch });
    assert.equal(await read('parts/condition'), 'new');
  });

  it('goes on reading the old parts while the blob is replaced and deleted', async () => {
    const upload = await begin('parts/busy');
    const parts = [await send(upload, 1, long('a')), await send(upload, 2, long('b'))];
    parts.push(await send(upload, 3, 'c'));
    await complete(upload, parts);
    const open = await store().get('parts/busy', { signal });
    const unread = await store().get('parts/busy', { signal });
    await put('parts/busy', 'new');
    await store().delete('parts/busy', { signal });
    assert.ok(open !== undefined && unread !== undefined);
    unread.content.destroy();
    assert.equal(md5(await buffer(open.content)), md5(`${long('a')}${long('b')}c`));
    assert.equal(await store().head('parts/busy', { signal }), undefined);
  });

  it('lets parts, completions and aborts of one upload race without a half blob', async () => {
    for (let round = 0; round < 6; round += 1) {
      const key = `parts/race ${round}`;
      const upload = await begin(key);
      const part = await send(upload, 1, 'first');
      const again = send(upload, 1, 'other');
      await Promise.allSettled([
        again,
        complete(upload, [part]),
        complete(upload, [part]),
        round % 2 === 0 ? store().abortUpload(upload, { signal }) : undefined,
      ]);
      assert.ok([undefined, 'first'].includes(await read(key)));
      await store()
        .abortUpload(upload, { signal })
        .catch(() => undefined);
    }
  });
}
