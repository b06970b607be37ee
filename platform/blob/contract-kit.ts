import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HaicError } from '@haic/kit/errors.ts';
import type { BlobInfo, BlobStore, ByteRange, PutOptions } from './port.ts';

export const signal: AbortSignal = AbortSignal.timeout(600_000);

export const rejectsWith = (work: Promise<unknown>, code: string, status: number): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof HaicError, String(error));
    assert.deepEqual([error.code, error.status], [code, status]);
    return true;
  });

/** What the tests of the contract say in short. `store` is asked for late: it is made in `before`. */
export interface Hand {
  readonly store: () => BlobStore;
  /** Bytes that a part must have unless it is the last one. */
  readonly smallestPart: number;
  /** What S3 clients expect, or anything. */
  readonly etags: 'md5' | 'opaque';
  put(key: string, content: string | Buffer, options?: Partial<PutOptions>): Promise<BlobInfo>;
  read(key: string, range?: ByteRange): Promise<string | undefined>;
}

export function createHand(store: () => BlobStore, more: Pick<Hand, 'smallestPart' | 'etags'>): Hand {
  return {
    ...more,
    store,
    put: (key, content, options = {}) =>
      store().put(key, Readable.from([Buffer.from(content)]), {
        signal,
        size: Buffer.byteLength(content),
        ...options,
      }),
    read: async (key, range) => {
      const blob = await store().get(key, range === undefined ? { signal } : { range, signal });
      return blob === undefined ? undefined : (await buffer(blob.content)).toString('latin1');
    },
  };
}

/** Times apart: a store need not tell when it wrote, and has a clock of its own. */
export function isSameBlob(actual: BlobInfo | undefined, expected: BlobInfo | undefined): void {
  assert.ok(actual !== undefined && expected !== undefined);
  const { modifiedAt: at, metadata: kept, ...facts } = actual;
  const { modifiedAt: time, metadata, ...others } = expected;
  assert.deepEqual([facts, { ...kept }], [others, { ...metadata }]);
  assert.ok(Math.abs(at.getTime() - time.getTime()) < 60_000, `${at} is not about ${time}`);
}

/** Asks for the blob again and again, and gives up a little later each time, until it comes before that. Nobody hears what becomes of what came. */
export async function giveUpAtEachMoment(store: BlobStore, key: string): Promise<void> {
  const most = await turnsUntil(store.get(key, { signal }).then((blob) => blob?.content.destroy()));
  const step = Math.max(1, Math.floor(most / 40));
  for (let turns = 0; turns <= most; turns += step) {
    const giveUp = new AbortController();
    const asked = store.get(key, { signal: giveUp.signal }).catch(() => undefined);
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    giveUp.abort(new Error('enough'));
    const found = await asked;
    await nextTurn();
    found?.content.destroy();
  }
}

async function turnsUntil(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let turns = 0;
  for (; !isOver; turns += 1) await nextTurn();
  await over;
  return turns;
}
