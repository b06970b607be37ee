import { HaicError } from '@haic/kit/errors.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';
import { objectExists } from './api-error.ts';
import { anotherName, type Collision, isFolder } from './model.ts';

/** An object and where it goes. */
export interface Step {
  readonly source: { readonly bucket: Bucket; readonly key: string };
  /** Undefined: it is only removed. */
  readonly target: { readonly bucket: Bucket; readonly key: string } | undefined;
}

const pageSize = 1000;
const mostNames = 1000;

/** Every object that is meant by these keys: a folder's are all below it, and `''` means the whole bucket. Pages are read as they are asked for. */
export async function* objectsOf(
  objects: ObjectService,
  bucket: Bucket,
  keys: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const key of keys) {
    if (key !== '' && !isFolder(key)) {
      yield key;
      continue;
    }
    let after: string | undefined;
    do {
      const page = await objects.list(bucket, {
        prefix: key,
        limit: pageSize,
        signal,
        ...(after === undefined ? {} : { after }),
      });
      for (const object of page.objects) yield object.key;
      after = page.next;
    } while (after !== undefined);
  }
}

/** Copies one object inside the store; a name that is taken is handled as was asked for. */
export async function copyObject(
  objects: ObjectService,
  { source, target }: Step & { readonly target: NonNullable<Step['target']> },
  collision: Collision,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; count < mostNames; count += 1) {
    const key = count === 0 ? target.key : anotherName(target.key, count);
    try {
      await objects.copy(
        source,
        { ...target, key },
        { signal, ...(collision === 'REPLACE' ? {} : { ifAbsent: true }) },
      );
      return;
    } catch (error) {
      if (!isTaken(error)) throw error;
      // A folder's own marker says nothing that the one which is there does not say.
      if (isFolder(target.key)) return;
      if (collision !== 'KEEP_BOTH') throw objectExists(key);
    }
  }
  throw objectExists(target.key);
}

const isTaken = (error: unknown): boolean => error instanceof HaicError && error.code === 'blob_exists';
