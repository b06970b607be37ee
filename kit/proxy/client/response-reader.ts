import { ChunkReader } from './chunks.ts';
import { BadResponse, type ResponseHead, readResponseHead } from './response-head.ts';

export interface ResponseSink {
  head(head: ResponseHead): void;
  /** A piece of the body: `bytes` from..to, which are only there until this returns. */
  data(bytes: Buffer, from: number, to: number): void;
}

const mostHead = 64 * 1024;
const endOfHead = '\r\n\r\n';
const bareLineFeed = /(?<!\r)\n/;

/** Reads one answer, however it is cut into packets. */
export class ResponseReader {
  /** The answer is whole. */
  done = false;
  /** Whether anything of an answer has come. */
  begun = false;
  /** The head of the final answer, once it is there. */
  head: ResponseHead | undefined;
  readonly #sink: ResponseSink;
  readonly #toHead: boolean;
  /** What has come of a head. */
  #text = '';
  /** How long the interim answers were that have come before. */
  #interim = 0;
  #left = 0;
  #chunks: ChunkReader | undefined;

  /** `toHead`: a HEAD request is answered, so there is no body whatever the headers say. */
  constructor(sink: ResponseSink, toHead: boolean) {
    this.#sink = sink;
    this.#toHead = toHead;
  }

  /** Reads the first `length` bytes and says how many of them belong to this answer. */
  read(bytes: Buffer, length: number): number {
    this.begun = true;
    const from = this.head === undefined ? this.#readHead(bytes, length) : 0;
    if (this.head === undefined || this.done) return from;
    return this.#readBody(bytes, from, length);
  }

  /** The other side has ended its side of the connection: whether that is how this answer ends. */
  finish(): boolean {
    this.done ||= this.head?.framing.kind === 'close';
    return this.done;
  }

  /** Where the body begins in `bytes`. */
  #readHead(bytes: Buffer, length: number): number {
    const before = this.#text.length;
    // Latin-1 is one character for each byte, so places in the text are places in the bytes.
    this.#text += bytes.toString('latin1', 0, length);
    let from = 0;
    while (this.head === undefined) {
      const end = this.#text.indexOf(endOfHead, from);
      if (this.#interim + (end < 0 ? this.#text.length - from : end - from) > mostHead)
        throw new BadResponse('The head of the answer is too long.');
      if (end < 0) {
        this.#text = this.#text.slice(from);
        if (bareLineFeed.test(this.#text)) throw new BadResponse('The answer has a bare line feed.');
        return length;
      }
      const head = readResponseHead(this.#text.slice(from, end), this.#toHead);
      this.#interim += end + 4 - from;
      from = end + 4;
      // Interim answers (103 Early Hints) are optional to relay, and many clients mishandle them.
      if (head.status >= 200) this.#begin(head);
    }
    this.#text = '';
    return from - before;
  }

  #begin(head: ResponseHead): void {
    this.head = head;
    const { framing } = head;
    if (framing.kind === 'length') this.#left = framing.length;
    else if (framing.kind === 'chunked') this.#chunks = new ChunkReader();
    this.done = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0);
    this.#sink.head(head);
  }

  #readBody(bytes: Buffer, from: number, to: number): number {
    if (this.#chunks !== undefined) {
      const read = this.#chunks.read(bytes, from, to, (start, end) => this.#sink.data(bytes, start, end));
      this.done = this.#chunks.done;
      return read;
    }
    const byLength = this.head?.framing.kind === 'length';
    const end = byLength ? Math.min(to, from + this.#left) : to;
    if (end > from) this.#sink.data(bytes, from, end);
    if (byLength) {
      this.#left -= end - from;
      this.done = this.#left === 0;
    }
    return end;
  }
}
