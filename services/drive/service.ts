import type { Readable } from 'node:stream';
import type {
  Blob,
  BlobAttributes,
  BlobEntry,
  BlobInfo,
  BlobPart,
  BlobStore,
  BlobUpload,
  ByteRange,
  CopyOptions,
  WriteCondition,
} from '@haic/platform/blob/port.ts';
import { driveError, noSuchKey } from './errors.ts';
import type { Bucket } from './model.ts';
import type { Accounts } from './usage/usage.ts';

/** A content that is to be kept; its size is known before it is read. */
export interface Content {
  readonly size: number;
  readonly md5: string | undefined;
  open(): Readable;
}

type Signalled = { readonly signal: AbortSignal };

export interface ObjectPage {
  /** Keys as in the bucket. */
  readonly objects: readonly BlobEntry[];
  readonly prefixes: readonly string[];
  /** `after` of the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** What happens to objects, whoever asks by whichever protocol. That they may is decided before (policy.ts). Keys are those of the bucket. */
export interface ObjectService {
  list(
    bucket: Bucket,
    options: Signalled & { prefix: string; delimiter?: string; after?: string; limit: number },
  ): Promise<ObjectPage>;
  /** Throws `NoSuchKey`. */
  head(bucket: Bucket, key: string, options: Signalled): Promise<BlobInfo>;
  /** Throws `NoSuchKey`. */
  get(bucket: Bucket, key: string, options: Signalled & { range?: ByteRange }): Promise<Blob>;
  put(
    bucket: Bucket,
    key: string,
    content: Content,
    options: Signalled & BlobAttributes & WriteCondition,
  ): Promise<BlobInfo>;
  /** Throws `NoSuchKey` when the source is not there. */
  copy(
    source: { readonly bucket: Bucket; readonly key: string },
    target: { readonly bucket: Bucket; readonly key: string },
    options: CopyOptions,
  ): Promise<BlobInfo>;
  /** One that is not there is removed. */
  remove(bucket: Bucket, key: string, options: Signalled & { ifMatch?: string }): Promise<void>;
  /** Errors by key; undefined for what was removed. */
  removeAll(
    bucket: Bucket,
    keys: readonly string[],
    options: Signalled,
  ): Promise<readonly { readonly key: string; readonly error: unknown }[]>;
  createUpload(bucket: Bucket, key: string, options: Signalled & BlobAttributes): Promise<BlobUpload>;
  putPart(upload: UploadOf, partNumber: number, content: Content, options: Signalled): Promise<BlobPart>;
  listParts(
    upload: UploadOf,
    options: Signalled & { after?: number; limit: number },
  ): Promise<{ upload: BlobUpload; parts: readonly BlobPart[]; more: boolean }>;
  listUploads(
    bucket: Bucket,
    options: Signalled & { prefix: string; after?: { key: string; uploadId?: string }; limit: number },
  ): Promise<{ uploads: readonly BlobUpload[]; more: boolean }>;
  completeUpload(
    upload: UploadOf,
    parts: readonly { partNumber: number; etag: string }[],
    options: Signalled & WriteCondition,
  ): Promise<BlobInfo>;
  abortUpload(upload: UploadOf, options: Signalled): Promise<void>;
}

export interface UploadOf {
  readonly bucket: Bucket;
  readonly key: string;
  readonly uploadId: string;
}

export function createObjectService(blobs: BlobStore, accounts: Accounts): ObjectService {
  const nameOf = (bucket: Bucket, key: string) => {
    if (key === '') throw driveError('InvalidArgument', 'An object has a key of at least one character.');
    return bucket.prefix + key;
  };
  const refOf = ({ bucket, key, uploadId }: UploadOf) => ({ key: nameOf(bucket, key), uploadId });
  const inBucket = <T extends { readonly key: string }>({ prefix }: Bucket, entry: T): T => ({
    ...entry,
    key: entry.key.slice(prefix.length),
  });

  return {
    list: async (bucket, { prefix, after, ...options }) => {
      const page = await blobs.list({
        ...options,
        prefix: bucket.prefix + prefix,
        ...(after === undefined ? {} : { after: bucket.prefix + after }),
      });
      const start = bucket.prefix.length;
      return {
        objects: page.blobs.map((entry) => inBucket(bucket, entry)),
        prefixes: page.prefixes.map((text) => text.slice(start)),
        next: page.next?.slice(start),
      };
    },

    head: async (bucket, key, options) => {
      const info = await blobs.head(nameOf(bucket, key), options);
      if (info === undefined) throw noSuchKey();
      return inBucket(bucket, info);
    },

    get: async (bucket, key, options) => {
      const found = await blobs.get(nameOf(bucket, key), options);
      if (found === undefined) throw noSuchKey();
      return { ...found, info: inBucket(bucket, found.info) };
    },

    put: async (bucket, key, content, options) => {
      const name = nameOf(bucket, key);
      return accounts.writing(bucket, key, content.size, () =>
        blobs.put(name, content.open(), { ...options, ...boundsOf(content) }),
      );
    },

    copy: async (source, target, options) => {
      const { size } = (await blobs.head(nameOf(source.bucket, source.key), options)) ?? {};
      if (size === undefined) throw noSuchKey();
      const copied = await accounts.writing(target.bucket, target.key, size, () =>
        blobs.copy(nameOf(source.bucket, source.key), nameOf(target.bucket, target.key), options),
      );
      if (copied === undefined) throw noSuchKey();
      return inBucket(target.bucket, copied);
    },

    remove: (bucket, key, options) =>
      accounts.removing(bucket, [key], () => blobs.delete(nameOf(bucket, key), options)),

    removeAll: (bucket, keys, options) =>
      accounts.removing(bucket, keys, () =>
        Promise.all(
          keys.map(async (key) => ({
            key,
            error: await blobs.delete(nameOf(bucket, key), options).then(
              () => undefined,
              (error: unknown) => error,
            ),
          })),
        ),
      ),

    createUpload: (bucket, key, options) => blobs.createUpload(nameOf(bucket, key), options),

    putPart: (upload, partNumber, content, options) =>
      accounts.writingPart(
        upload.bucket,
        { uploadId: upload.uploadId, partNumber, bytes: content.size },
        async () => {
          // So that nobody sends gigabytes to an upload that is not there.
          await blobs.listParts(refOf(upload), { limit: 1, signal: options.signal });
          return blobs.putPart(refOf(upload), partNumber, content.open(), {
            ...options,
            ...boundsOf(content),
          });
        },
      ),

    listParts: (upload, options) => blobs.listParts(refOf(upload), options),

    listUploads: async (bucket, { prefix, after, ...options }) => {
      const page = await blobs.listUploads({
        ...options,
        prefix: bucket.prefix + prefix,
        ...(after === undefined ? {} : { after: { ...after, key: bucket.prefix + after.key } }),
      });
      return { uploads: page.uploads.map((upload) => inBucket(bucket, upload)), more: page.more };
    },

    completeUpload: (upload, parts, options) =>
      accounts.completing(upload.bucket, upload.key, upload.uploadId, () =>
        blobs.completeUpload(refOf(upload), parts, options),
      ),

    abortUpload: (upload, options) =>
      accounts.aborting(upload.bucket, upload.uploadId, () => blobs.abortUpload(refOf(upload), options)),
  };
}

const boundsOf = ({ size, md5 }: Content) => ({
  size,
  maxBytes: size,
  ...(md5 === undefined ? {} : { md5 }),
});
