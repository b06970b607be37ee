import type { Readable } from 'node:stream';

/**
 * The blob port: named immutable byte sequences in any object store. Streams only: memory does not grow with size.
 * A key is 1 to 1024 bytes of UTF-8; every key of S3 is one of ours, hostile bytes included (an adapter escapes what it must).
 * What is no key is refused with `invalid_blob_key` (400); a full store answers `insufficient_storage` (507), the old content intact.
 */
export interface BlobInfo {
  readonly key: string;
  readonly size: number;
  readonly contentType: string;
  /** Opaque; changes whenever the content does. */
  readonly etag: string;
  readonly modifiedAt: Date;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface PutOptions {
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Refuse with `blob_exists` (409) when the key is there already. */
  readonly ifAbsent?: boolean;
  /** Refuse with `blob_too_large` (413), keeping nothing, when the stream is longer. Bytes. */
  readonly maxBytes?: number;
  /** Lower-case hex; on a mismatch `blob_corrupt` (400) and nothing is kept. */
  readonly sha256?: string;
  readonly signal: AbortSignal;
}

export interface BlobStore {
  /** Atomic and durable: the blob is seen whole or not at all, and a resolved promise survives a power cut. */
  put(key: string, content: Readable, options: PutOptions): Promise<BlobInfo>;
  /**
   * The content from `range.start` to `range.end` inclusive (clipped to the size; `range_not_satisfiable` (416) when none of it is
   * there). Undefined when the key is not there. The content must be read to its end or destroyed.
   */
  get(
    key: string,
    options: { range?: { start: number; end?: number }; signal: AbortSignal },
  ): Promise<{ info: BlobInfo; content: Readable } | undefined>;
  head(key: string, options: { signal: AbortSignal }): Promise<BlobInfo | undefined>;
  /** Deleting what is not there succeeds. */
  delete(key: string, options: { signal: AbortSignal }): Promise<void>;
  /** In byte order of the keys; `after` is exclusive. At most `limit` (default 1000). */
  list(options: {
    prefix: string;
    after?: string;
    limit?: number;
    signal: AbortSignal;
  }): Promise<{ blobs: readonly BlobInfo[]; more: boolean }>;
}
