import type { Readable, Writable } from 'node:stream';

/**
 * The blob port: named immutable byte sequences in any object store. Streams only: memory does not grow with size.
 *
 * A key is 1 to 1200 bytes of UTF-8: a key of S3 (at most 1024, hostile bytes included; an adapter escapes what it must) and what a
 * service puts before it. What is no key is refused with `invalid_blob_key` (400). A full store answers `insufficient_storage` (507), one
 * that cannot be reached `storage_unavailable` (503); the old content is intact then.
 *
 * Every write is atomic and durable: it is seen whole or not at all, and a resolved promise survives a power cut. A content that
 * breaks, ends early or is given up by `signal` leaves nothing behind; whoever checks it on the way (a checksum that comes after
 * it, say) destroys it with an error before its end.
 */
export interface BlobStore {
  put(key: string, content: Readable, options: PutOptions): Promise<BlobInfo>;
  /**
   * The content from `range.start` to `range.end` inclusive (clipped to the size; `range_not_satisfiable` (416) when none of it is
   * there). Undefined when the key is not there.
   */
  get(key: string, options: { range?: ByteRange; signal: AbortSignal }): Promise<Blob | undefined>;
  head(key: string, options: { signal: AbortSignal }): Promise<BlobInfo | undefined>;
  /**
   * Deleting what is not there succeeds. With `ifMatch` only what has that etag is deleted: `blob_changed` (412) when it has another,
   * or is not there.
   */
  delete(key: string, options: { ifMatch?: string; signal: AbortSignal }): Promise<void>;
  /** One page of keys in byte order. */
  list(options: ListOptions): Promise<BlobPage>;
  /** Inside the store, no byte passes through this process. Undefined when the source is not there. */
  copy(source: string, target: string, options: CopyOptions): Promise<BlobInfo | undefined>;

  /** Begins a blob that arrives in parts. Nothing is seen under the key until it is completed. */
  createUpload(key: string, options: UploadOptions): Promise<BlobUpload>;
  /**
   * Part numbers are 1 to 10,000 (`invalid_part` (400) otherwise); parts come in any order and side by side, and one that is sent again
   * replaces the one before. Each part but the last should have 5 MiB or more: some stores refuse smaller ones when completing
   * (`part_too_small` (400)).
   */
  putPart(
    upload: UploadRef,
    partNumber: number,
    content: Readable,
    options: ContentOptions,
  ): Promise<BlobPart>;
  /** In order of the part numbers, those after `after`; at most `limit` (default 1000). */
  listParts(
    upload: UploadRef,
    options: { after?: number; limit?: number; signal: AbortSignal },
  ): Promise<{ upload: BlobUpload; parts: readonly BlobPart[]; more: boolean }>;
  /** In byte order of the keys, then of the ids; those after `after`, without an id after all of its key; at most `limit` (default 1000). */
  listUploads(options: {
    prefix: string;
    after?: { key: string; uploadId?: string };
    limit?: number;
    signal: AbortSignal;
  }): Promise<{ uploads: readonly BlobUpload[]; more: boolean }>;
  /**
   * The blob of just these parts, by ascending numbers: `invalid_part_order` (400) when they are not, `invalid_part` (400) when one was
   * not sent or has another etag; the upload stays as it was then. Completing again, when the answer got lost, gives the same answer as
   * long as the blob was not replaced. Cheap: no byte passes through this process.
   */
  completeUpload(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: WriteCondition & { signal: AbortSignal },
  ): Promise<BlobInfo>;
  /** Forgets the upload and its parts. */
  abortUpload(upload: UploadRef, options: { signal: AbortSignal }): Promise<void>;
}

/** What a listing says of a blob. */
export interface BlobEntry {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Changes whenever the content does, and may be compared and shown. Where S3 clients look at it (a store made with `etags: 'md5'`) it is
   * what they expect: the MD5 of a blob that was put whole, `<MD5 of the parts' MD5s>-<number of parts>` of one that was put in parts.
   */
  readonly etag: string;
  /** Of what a write returns: by this process's clock where the store does not tell. */
  readonly modifiedAt: Date;
}

export interface BlobInfo extends BlobEntry {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Blob extends BlobBytes {
  readonly info: BlobInfo;
}

/** The bytes that were asked for, in up to three ways, of which one is to be used. */
export interface BlobBytes {
  /** To be read to its end or destroyed, unless there are `bytes`. That the signal ends it before somebody reads is no error of the process. */
  readonly content: Readable;
  /** All of them: of small blobs, where the store had them at hand. */
  readonly bytes?: Buffer;
  /**
   * Writes them to `target` and leaves it open; where a store does that with less work and memory than by `content`. Resolves when the target
   * has taken all of them; rejects also when the signal fires, which it must when the target closes.
   */
  readonly sendTo?: (target: Writable, options: { signal: AbortSignal }) => Promise<void>;
}

/** Bytes, both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** At most one of the two. */
export interface WriteCondition {
  /** Refuse with `blob_exists` (409) when the key is there already. */
  readonly ifAbsent?: boolean;
  /** Refuse with `blob_changed` (412) when the blob has another etag or is not there. */
  readonly ifMatch?: string;
}

/** What is known of a content before it was read. On a mismatch nothing is kept. */
export interface ContentOptions {
  /** Bytes. Some stores take in one go what they would otherwise cut in pieces. `blob_corrupt` (400) on a mismatch. */
  readonly size?: number;
  /** Refuse with `blob_too_large` (413) when the stream is longer. Bytes. */
  readonly maxBytes?: number;
  /** Lower-case hex; on a mismatch `blob_corrupt` (400). */
  readonly sha256?: string;
  /** Lower-case hex; on a mismatch `blob_corrupt` (400). */
  readonly md5?: string;
  readonly signal: AbortSignal;
}

/** What is kept beside the content. The type is `application/octet-stream` unless it is given. */
export interface BlobAttributes {
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface PutOptions extends ContentOptions, BlobAttributes, WriteCondition {}

export interface CopyOptions extends WriteCondition {
  /** In place of the source's type and metadata; both are kept without it. */
  readonly replace?: BlobAttributes;
  /** Refuse with `blob_changed` (412) when the source has another etag. */
  readonly ifSourceMatch?: string;
  readonly signal: AbortSignal;
}

export interface UploadOptions extends BlobAttributes {
  readonly signal: AbortSignal;
}

/** Names an upload; `no_such_upload` (404) when there is none of that id for that key (any more). */
export interface UploadRef {
  readonly key: string;
  readonly uploadId: string;
}

export interface BlobUpload extends UploadRef, Required<BlobAttributes> {
  readonly startedAt: Date;
}

export interface BlobPart {
  readonly partNumber: number;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: Date;
}

export interface ListOptions {
  readonly prefix: string;
  /** What a key goes on with after the prefix, up to and including this text, is told once, in `prefixes`. */
  readonly delimiter?: string;
  /** Only keys and prefixes after this one in byte order. */
  readonly after?: string;
  /** Of keys and prefixes together; default 1000. */
  readonly limit?: number;
  readonly signal: AbortSignal;
}

export interface BlobPage {
  readonly blobs: readonly BlobEntry[];
  /** Without a delimiter empty. */
  readonly prefixes: readonly string[];
  /** The last key or prefix of this page when there is more: `after` of the next one. */
  readonly next?: string;
}
