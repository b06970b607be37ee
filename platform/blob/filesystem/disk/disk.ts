import type { DigestAlgorithm, Sums } from '../../digests.ts';
import type { BlobRecord } from '../record.ts';

/**
 * The disk, several steps at a time. What belongs together is done in one go by one thread, hashes included: a trip to another thread for
 * each system call costs more than the call. Errors are those of `node:fs`, with their `code`.
 */
export interface Disk {
  /** The beginning of a record's file, its whole line in it; undefined when it is not there. */
  readRecord(file: string): Promise<Buffer | undefined>;
  /** All of a record's file, with the blob that is within; undefined when it is not there. */
  readRecordAndContent(file: string): Promise<Buffer | undefined>;
  /** The content is taken over: it has its memory for itself, and is empty afterwards. */
  putWithin(put: PutWithin, content: Buffer): Promise<PutWithinOutcome>;
  /** `EEXIST` when the file is there. */
  create(file: string, algorithms: readonly DigestAlgorithm[]): Promise<NewFile>;
}

/** A small blob, which is to be within its record. */
export interface PutWithin {
  readonly record: BlobRecord;
  /** Of what its etag is made, where it has none yet. */
  readonly etag: DigestAlgorithm | undefined;
  /** What the content was said to have; where it has another nothing is written. */
  readonly said: Sums;
  /** New file, in which both are written and synced. */
  readonly ready: string;
  /** Folder and file of the record, which is to be replaced at once. */
  readonly at: { readonly directory: string; readonly file: string } | undefined;
}

export interface PutWithinOutcome {
  readonly sums: Sums;
  /**
   * `named`: it is what the key names, durably. `ready`: not yet, as it may not be named at once; also where the folder is missing, or what the
   * key names has bytes beside it. `refused`: the content is not as it was said.
   */
  readonly state: 'named' | 'ready' | 'refused';
}

/** A file that is written from its beginning on. To be finished or abandoned. */
export interface NewFile {
  /**
   * Writes the first `length` bytes behind what was written. Takes the buffer over, which has its memory for itself; resolves with one of
   * that size, to be filled next. One at a time.
   */
  write(buffer: Buffer, length: number): Promise<Buffer>;
  /** Resolves when all of it is on the disk. */
  finish(): Promise<Sums>;
  /** Closes the file, if it is still open, and leaves it where it is. */
  abandon(): Promise<void>;
}
