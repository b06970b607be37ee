import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@bufbuild/protobuf';
import { messageOf } from '../errors.ts';
import { invalidArgument } from './errors.ts';
import { shortened } from './field-text.ts';

export const noBody: JsonValue = Object.freeze({});

/**
 * Parses the bytes of a body, which may be empty. Numbers in it that JavaScript cannot hold are `LongNumber` until it is known what they are for.
 */
export function parseJson(bytes: Buffer): JsonValue {
  if (bytes.length === 0) return noBody;
  const decoded = bytes.toString();
  // What is none has become one of these.
  if (decoded.includes(replacement) && !isUtf8(bytes)) throw invalidArgument('The body is not UTF-8.');
  const text = decoded.charCodeAt(0) === byteOrderMark ? decoded.slice(1) : decoded;
  try {
    return hasLongNumber(text) ? parseExactly(text, exact) : JSON.parse(text);
  } catch (error) {
    if (text.trim() === '') return noBody;
    throw invalidArgument(`The body is not JSON: ${shortened(messageOf(error))}.`, error);
  }
}

const replacement = '\ufffd';
const byteOrderMark = 0xfeff;

/** Whether there are as many digits in a row as make a number that JavaScript may not hold. Of every such row one digit is looked at. */
function hasLongNumber(text: string): boolean {
  for (let at = longest - 1; at < text.length; at += longest) {
    let [from, to] = [at, at];
    while (isDigit(text, from)) from--;
    while (isDigit(text, to)) to++;
    if (to - from > longest) return true;
  }
  return false;
}

const longest = 16;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

export class LongNumber {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
// ECMAScript's JSON.parse source text access, which Node 24 has and the types of this target do not.
const parseExactly = JSON.parse as (text: string, reviver: Reviver) => JsonValue;

const exact: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
    ? new LongNumber(source)
    : value;

/** What is long and no 64-bit integer is the number that JavaScript makes of it. Not recursive: it sees JSON of any depth. */
export function settle(json: JsonValue): void {
  const open: JsonValue[] = [json];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    for (const [key, value] of Object.entries(node)) {
      if (!isLong(value)) open.push(value);
      else Object.defineProperty(node, key, { ...writable, value: Number(value.source) });
    }
  }
}

// As an assignment, but for a key __proto__.
const writable = { writable: true, enumerable: true, configurable: true };

export const isLong = (json: unknown): json is LongNumber => json instanceof LongNumber;
