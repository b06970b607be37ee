import { BadResponse } from './response-head.ts';

/** Where in a chunked body the reader is; what it stands before. */
const before = {
  sizeDigit: 0,
  sizeDigitOrEnd: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailerLine: 7,
  trailerName: 8,
  trailerValue: 9,
  trailerLf: 10,
  lastLf: 11,
} as const;

const cr = 13;
const lf = 10;
const semicolon = 59;
const colon = 58;
const extensions = /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[^"\\]*"))?)+$/;
const longestExtensions = 1024;
/** A size of more digits would not be exact as a number. */
const mostDigits = 13;
/** Trailers are read over, but not for ever. */
const mostTrailers = 64 * 1024;

const isToken = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  isToken[character.charCodeAt(0)] = 1;

const isText = (byte: number): boolean => (byte >= 32 && byte !== 127) || byte === 9;

function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Reads a chunked body, however it is cut into packets. Extensions and trailers end here (RFC 9112 §7.1). */
export class ChunkReader {
  done = false;
  #state: number = before.sizeDigit;
  #size = 0;
  #digits = 0;
  #extensions = '';
  #trailers = 0;

  /** Hands on the data in `bytes` and says where it stopped: at `to`, or behind the body's last byte. */
  read(bytes: Buffer, from: number, to: number, data: (from: number, to: number) => void): number {
    let at = from;
    while (at < to && !this.done) {
      if (this.#state === before.data) {
        const end = Math.min(to, at + this.#size);
        data(at, end);
        this.#size -= end - at;
        at = end;
        if (this.#size === 0) this.#state = before.dataCr;
      } else this.#readFrame(bytes[at++] ?? 0);
    }
    return at;
  }

  #readFrame(byte: number): void {
    switch (this.#state) {
      case before.dataCr:
        this.#must(byte === cr, before.dataLf);
        return;
      case before.dataLf:
        this.#must(byte === lf, before.sizeDigit);
        return;
      case before.sizeLf:
        this.#must(byte === lf, this.#size === 0 ? before.trailerLine : before.data);
        this.#digits = 0;
        return;
      case before.lastLf:
        this.#must(byte === lf, before.trailerLine);
        this.done = true;
        return;
      case before.trailerLf:
        this.#must(byte === lf, before.trailerLine);
        return;
      default:
        if (this.#state >= before.trailerLine) this.#must(++this.#trailers <= mostTrailers, this.#state);
        this.#readLine(byte);
    }
  }

  #readLine(byte: number): void {
    switch (this.#state) {
      case before.sizeDigit:
        this.#size = 0;
        this.#readDigit(byte);
        return;
      case before.sizeDigitOrEnd:
        if (byte === cr) this.#state = before.sizeLf;
        else if (byte === semicolon) this.#readExtension(byte);
        else this.#readDigit(byte);
        return;
      case before.extension:
        this.#readExtension(byte);
        return;
      case before.trailerLine:
        if (byte === cr) this.#state = before.lastLf;
        else this.#must(isToken[byte] === 1, before.trailerName);
        return;
      case before.trailerName:
        if (byte === colon) this.#state = before.trailerValue;
        else this.#must(isToken[byte] === 1, before.trailerName);
        return;
      default:
        if (byte === cr) this.#state = before.trailerLf;
        else this.#must(isText(byte), before.trailerValue);
    }
  }

  #readDigit(byte: number): void {
    const digit = digitOf(byte);
    this.#must(digit >= 0 && ++this.#digits <= mostDigits, before.sizeDigitOrEnd);
    this.#size = this.#size * 16 + digit;
  }

  #readExtension(byte: number): void {
    if (byte === cr) {
      this.#must(extensions.test(this.#extensions), before.sizeLf);
      this.#extensions = '';
      return;
    }
    this.#must(isText(byte) && this.#extensions.length < longestExtensions, before.extension);
    this.#extensions += String.fromCharCode(byte);
  }

  #must(holds: boolean, next: number): void {
    if (!holds) throw new BadResponse('The chunks of the answer are broken.');
    this.#state = next;
  }
}
