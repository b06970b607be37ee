import { createHash } from 'node:crypto';
import { checkKey } from '../key.ts';

/**
 * How a key becomes the name of an object in a cloud's store, or in a gateway that keeps it as a file: `home/a b.csv` is
 * `home/a!20b.csv!`. Names sort like their keys and start alike when their keys do, so that a store lists them in order and by prefix.
 *
 * Every name ends in `!`, so that `a` and `a/b` can be files. What some store refuses, folds or cannot say in XML is written as a
 * character that comes just before it and its bytes in hex: control characters and space with `!`, `\` with `[`, DEL and U+0080 to
 * U+009F with `~`, U+FFFD and higher with U+FFFD. At the beginning of a segment `.` is `.2E` and `/` is `.2F`: no segment is empty or a step upward. A segment that
 * is too long for a file name goes on after a slash. Of a name that is too long for the store the rest is a hash, and its object
 * says its key; those few are sorted here.
 */
const maxSegment = 200;
/** Bytes of a name without its hash; stores take 1024 with what precedes it. */
const maxName = 800;
const end = '!';
const hashed = '!!';

/** The beginning of the names of all keys that start with `prefix`. */
export const namePrefixOf = (prefix: string): string => encode(prefix).text;

export function nameOf(key: string): string {
  checkKey(key);
  const { text, cut } = encode(key);
  if (!cut) return text + end;
  return groupOf(text) + createHash('sha256').update(key).digest('hex');
}

/** The beginning of the names of all keys that share so much that they are hashed. */
const groupOf = (text: string) => `${text}${text.endsWith('/') ? '' : '/'}${hashed}`;

/** Whether the keys that start with `prefix` can only be found in one group of hashed names; then its beginning. */
export function hashedGroupOf(prefix: string): string | undefined {
  const { text, cut } = encode(prefix);
  return cut ? groupOf(text) : undefined;
}

/** What a name stands for; `hashed`: the object says. Undefined: not one of ours. */
export function readName(name: string): { key: string } | { hashed: true } | undefined {
  if (/!![0-9a-f]{64}$/.test(name)) return { hashed: true };
  if (!name.endsWith(end)) return undefined;
  const key = decode(name.slice(0, -end.length));
  return key === undefined || key === '' || nameOf(key) !== name ? undefined : { key };
}

/** A folder that a store tells; undefined when it is the middle of an over-long segment. */
export function readFolder(name: string): string | undefined {
  const key = decode(name);
  return key?.endsWith('/') && encode(key).text === name ? key : undefined;
}

/** Most keys: nothing to escape, no long segment. */
const plain = /^(?:[\w@=+,:-][\w@=+,:.-]{0,150}\/)*(?:[\w@=+,:-][\w@=+,:.-]{0,150})?$/;

/** Where a segment goes on and where a name is cut depends on the bytes before alone: else names would not sort like keys. */
function encode(key: string): { text: string; cut: boolean } {
  if (key.length < maxName && plain.test(key)) return { text: key, cut: false };
  let text = '';
  let bytes = 0;
  let segment = 0;
  for (const character of key) {
    if (bytes >= maxName) return { text, cut: true };
    if (segment >= maxSegment) {
      text += '/';
      bytes += 1;
      segment = 0;
    }
    const unit = segment === 0 ? escapeFirst(character) : escapeOf(character);
    const length = Buffer.byteLength(unit);
    text += unit;
    bytes += length;
    segment = unit === '/' ? 0 : segment + length;
  }
  return { text, cut: false };
}

const escapeFirst = (character: string) =>
  character === '.' ? '.2E' : character === '/' ? '.2F' : escapeOf(character);

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0x21) return `!${hex(code)}`;
  if (code === 0x5b || code === 0x5c) return `[${hex(code)}`;
  if (code === 0x7e || code === 0x7f) return `~${hex(code)}`;
  if (code >= 0x80 && code <= 0x9f) return `~C2${hex(code)}`;
  // Some stores sort by UTF-16, where what needs two units comes before U+E000.
  if (code >= 0xfffd && code <= 0xffff) return `\ufffd${hex(code & 0xff)}`;
  if (code > 0xffff) return `\ufffdG${code.toString(16).toUpperCase().padStart(6, '0')}`;
  return character;
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');

/** Undefined for what `encode` does not write; also what it would write in another way may come out, so compare. */
function decode(name: string): string | undefined {
  let key = '';
  let segment = 0;
  for (let i = 0; i < name.length; ) {
    const unit = unitAt(name, i, segment === 0);
    if (unit === undefined) return undefined;
    i += unit.length;
    if (unit.text === '/' && unit.length === 1) {
      if (segment < maxSegment) key += '/';
      segment = 0;
      continue;
    }
    key += unit.text;
    segment += Buffer.byteLength(name.slice(i - unit.length, i));
  }
  return key;
}

function unitAt(name: string, at: number, first: boolean): { text: string; length: number } | undefined {
  const character = String.fromCodePoint(name.codePointAt(at) ?? 0);
  const codeOf = (from: number) => Number.parseInt(name.slice(from, from + 2), 16);
  const isEscape =
    character === '!' || character === '[' || character === '~' || (first && character === '.');
  if (!isEscape && character !== '\ufffd') return { text: character, length: character.length };
  if (character === '\ufffd' && name[at + 1] === 'G') return farUnitAt(name, at);
  const code = codeOf(at + 1);
  if (Number.isNaN(code)) return undefined;
  if (character === '\ufffd') return { text: String.fromCharCode(0xff00 + code), length: 3 };
  if (character === '~' && code === 0xc2) return { text: String.fromCharCode(codeOf(at + 3)), length: 5 };
  return { text: String.fromCharCode(code), length: 3 };
}

/** `\ufffdG` and six digits: a character beyond U+FFFF. */
function farUnitAt(name: string, at: number): { text: string; length: number } | undefined {
  const code = Number.parseInt(name.slice(at + 2, at + 8), 16);
  return code >= 0x10000 && code <= 0x10ffff ? { text: String.fromCodePoint(code), length: 8 } : undefined;
}
