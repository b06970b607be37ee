import { HaicError, invalid } from '@haic/kit/errors.ts';
import { DriveError } from '../errors.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';
import { copyObject, objectsOf } from './changes.ts';
import { type Collision, isFolder, lastName } from './model.ts';
import type { Work } from './runner.ts';
import { trashKey, trashOf } from './trash.ts';

/** Where things go: into a folder by their own names (`''` is the root), or one of them under another key. */
export type Destination =
  | { readonly bucket: Bucket; readonly into: string }
  | { readonly bucket: Bucket; readonly as: string };

export interface OperationParts {
  readonly objects: ObjectService;
  readonly subject: string;
}

/** Copies or moves; a folder keeps what is in it, in its order. */
export function transfer(
  parts: OperationParts,
  wanted: {
    readonly kind: 'COPY' | 'MOVE';
    readonly bucket: Bucket;
    readonly keys: readonly string[];
    readonly to: Destination;
    readonly collision: Collision;
  },
): Work {
  const { objects, subject } = parts;
  const { kind, bucket, keys, to, collision } = wanted;
  const roots = keys.map((key) => ({ key, target: targetOf(key, keys, to) }));
  for (const { key, target } of roots) refuseIntoItself(bucket, key, to.bucket, target);
  const rootOf = (item: string) => {
    const root = roots.find(({ key }) => item === key || (isFolder(key) && item.startsWith(key)));
    if (root === undefined) throw new Error('An object of no root.');
    return root;
  };
  return {
    ...{ kind, subject, bucket: bucket.name },
    items: (signal) => objectsOf(objects, bucket, keys, signal),
    handle: async (item, signal) => {
      const root = rootOf(item);
      const key = root.target + item.slice(root.key.length);
      // It is where it is to go already.
      if (bucket.prefix === to.bucket.prefix && key === item && (kind === 'MOVE' || collision === 'REPLACE'))
        return;
      const source = { bucket, key: item };
      await copyObject(objects, { source, target: { bucket: to.bucket, key } }, collision, signal);
      if (kind === 'MOVE') await objects.remove(bucket, item, { signal });
    },
  };
}

function targetOf(key: string, keys: readonly string[], to: Destination): string {
  if ('into' in to) return to.into + lastName(key);
  if (keys.length !== 1) throw invalid('invalid_target', 'Only one thing at a time can get another name.');
  if (isFolder(key) !== isFolder(to.as))
    throw invalid('invalid_target', 'The key of a folder ends in a slash, and that of a file does not.');
  return to.as;
}

function refuseIntoItself(source: Bucket, key: string, target: Bucket, as: string): void {
  if (isFolder(key) && source.prefix === target.prefix && as !== key && as.startsWith(key))
    throw invalid('invalid_target', 'A folder cannot go into itself.');
}

/** Into the trash, or for good. */
export function deletion(
  parts: OperationParts,
  wanted: {
    readonly bucket: Bucket;
    readonly keys: readonly string[];
    /** Undefined: for good. */
    readonly trashId: string | undefined;
    readonly keep: () => Promise<void>;
  },
): Work {
  const { objects, subject } = parts;
  const { bucket, keys, trashId, keep } = wanted;
  const trash = trashOf(bucket);
  let kept: Promise<void> | undefined;
  return {
    ...{ kind: 'DELETE' as const, subject, bucket: bucket.name },
    ...(trashId === undefined ? {} : { trashId }),
    items: (signal) => objectsOf(objects, bucket, keys, signal),
    handle: async (key, signal) => {
      if (trashId !== undefined) {
        // Before its first object, so that whatever happens then nothing lies there that nobody finds.
        kept ??= keep();
        await kept;
        const target = { bucket: trash, key: trashKey(trashId, key) };
        await copyObject(objects, { source: { bucket, key }, target }, 'REPLACE', signal).catch(asTrashError);
      }
      await objects.remove(bucket, key, { signal });
    },
  };
}

function asTrashError(error: unknown): never {
  if (error instanceof DriveError && error.code === 'QuotaExceeded')
    throw new HaicError('trash_full', 403, 'The trash is full. Empty it first, or delete for good.', {
      cause: error,
    });
  throw error;
}

/** Back to where it was. */
export function restoration(
  parts: OperationParts,
  wanted: {
    readonly bucket: Bucket;
    readonly ids: readonly string[];
    readonly collision: Collision;
    readonly forget: (id: string) => Promise<void>;
  },
): Work {
  const { objects, subject } = parts;
  const { bucket, ids, collision, forget } = wanted;
  const trash = trashOf(bucket);
  return {
    ...{ kind: 'RESTORE' as const, subject, bucket: bucket.name },
    items: (signal) => objectsOf(objects, trash, foldersOf(ids), signal),
    handle: async (item, signal) => {
      const key = item.slice(item.indexOf('/') + 1);
      const source = { bucket: trash, key: item };
      await copyObject(objects, { source, target: { bucket, key } }, collision, signal);
      await objects.remove(trash, item, { signal });
    },
    finish: () => forgetEmptied(objects, trash, ids, forget),
  };
}

/** Gone for good. */
export function purge(
  parts: OperationParts,
  wanted: {
    readonly bucket: Bucket;
    readonly ids: readonly string[];
    readonly forget: (id: string) => Promise<void>;
  },
): Work {
  const { objects, subject } = parts;
  const { bucket, ids, forget } = wanted;
  const trash = trashOf(bucket);
  return {
    ...{ kind: 'PURGE' as const, subject, bucket: bucket.name },
    items: (signal) => objectsOf(objects, trash, foldersOf(ids), signal),
    handle: (item, signal) => objects.remove(trash, item, { signal }),
    finish: () => forgetEmptied(objects, trash, ids, forget),
  };
}

const foldersOf = (ids: readonly string[]) => ids.map((id) => trashKey(id, ''));

async function forgetEmptied(
  objects: ObjectService,
  trash: Bucket,
  ids: readonly string[],
  forget: (id: string) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  for (const id of ids) {
    const left = await objects.list(trash, { prefix: trashKey(id, ''), limit: 1, signal });
    if (left.objects.length === 0) await forget(id);
  }
}
