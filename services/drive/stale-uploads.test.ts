import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { createStaleUploads } from './stale-uploads.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe('uploads that nobody completes', () => {
  let directory = '';
  let blobs: BlobStore;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-stale-uploads-'));
    blobs = await createFilesystemBlobStore({ directory, etags: 'md5' });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const signal = () => AbortSignal.timeout(30_000);
  const begin = async (key: string) => {
    const upload = await blobs.createUpload(key, { signal: signal() });
    await blobs.putPart(upload, 1, Readable.from([Buffer.from('part')]), { signal: signal() });
    return upload;
  };
  const open = async () =>
    (await blobs.listUploads({ prefix: '', signal: signal() })).uploads.map((upload) => upload.key);

  it('are given up so many days after they began, and leave the account of their bucket', async () => {
    const keys = [
      'catalog/bundle',
      'drive/people/ada/a',
      'drive/people/ada/a',
      'drive/trash/people/ada/x/a',
      'drive/workspaces/w/deep/b',
    ];
    for (const key of keys) await begin(key);
    const accounted: string[] = [];
    const sweepAfter = (days: number, most = 7) =>
      createStaleUploads({
        blobs,
        accounts: {
          aborting: async ({ prefix }, _, abort) => {
            await abort();
            accounted.push(prefix);
          },
        },
        days: most,
        now: () => Date.now() + days * dayMs,
      }).sweep();
    assert.equal(await sweepAfter(6), 0);
    assert.equal(await sweepAfter(8, 0), 0, 'for ever');
    assert.deepEqual((await open()).sort(), keys);
    assert.equal(await sweepAfter(8), 4);
    assert.deepEqual(await open(), ['catalog/bundle'], 'what is not Drive’s is left alone');
    assert.deepEqual(accounted.sort(), [
      'drive/people/ada/',
      'drive/people/ada/',
      'drive/trash/people/ada/',
      'drive/workspaces/w/',
    ]);
  });

  it('leave the account also when somebody else gave them up meanwhile', async () => {
    const upload = await begin('drive/people/ada/raced');
    let accounted = 0;
    const racing: Pick<BlobStore, 'listUploads' | 'abortUpload'> = {
      listUploads: async (options) => {
        const page = await blobs.listUploads(options);
        await blobs.abortUpload(upload, { signal: signal() });
        return page;
      },
      abortUpload: (ref, options) => blobs.abortUpload(ref, options),
    };
    await createStaleUploads({
      blobs: racing,
      accounts: {
        aborting: async (_bucket, _id, abort) => {
          await abort();
          accounted += 1;
        },
      },
      days: 1,
      now: () => Date.now() + 2 * dayMs,
    }).sweep();
    assert.equal(accounted, 1);
  });
});
