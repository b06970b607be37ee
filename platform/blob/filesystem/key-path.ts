import path from 'node:path';
import { checkKey } from '../key.ts';

/**
 * How a key becomes a path that a person can follow: `bundles/7d…e1.wave` is the folder `bundles` with the files
 * `7d…e1.wave@.json` (the record: size, type, metadata, current version; behind its line the bytes of a small blob) and
 * `7d…e1.wave@<version>` (the bytes of a larger one; when it came in parts a folder of them).
 *
 * Every S3 key has exactly one path and every path one key: `@`, `%`, `\` and characters that do not show are written as `%XX`,
 * the segments `.` and `..` as `%2E` and `%2E%2E`, an empty segment (of `a//b` or `a/`) as `%`. A segment too long for a
 * file name goes on in the folder `<its beginning>@+`. No name of ours holds another `@`.
 */
export const recordSuffix = '@.json';
const continuedSuffix = '@+';
/** Linux allows 255 bytes in a name; the rest is for `@` and the version. */
const maxNameBytes = 220;

const mustEscape = /[\p{C}\p{Zl}\p{Zp}%@\\]/u;

export interface KeyPlace {
  /** Absolute path of the folder. */
  readonly directory: string;
  /** The beginning of the names of the record and the versions. */
  readonly name: string;
}

export function placeOf(root: string, key: string): KeyPlace {
  checkKey(key);
  const names = key.split('/').flatMap(namesOfSegment);
  const name = names.pop() ?? '';
  return { directory: path.join(root, ...names), name };
}

/** Folder of all keys that start with `prefix`, which ends in a slash or is empty. */
export const directoryOfPrefix = (root: string, prefix: string): string =>
  path.join(root, ...prefix.split('/').slice(0, -1).flatMap(namesOfSegment));

/** One name, or for a long segment the folders it goes through and its last name. */
function namesOfSegment(segment: string): string[] {
  // Most are written as they are.
  if (segment.length <= maxNameBytes / 3 && !mustEscape.test(segment) && !/^\.{0,2}$/.test(segment))
    return [segment];
  const names: string[] = [];
  let name = '';
  for (const unit of unitsOf(segment)) {
    if (Buffer.byteLength(name) + Buffer.byteLength(unit) > maxNameBytes) {
      names.push(name + continuedSuffix);
      name = '';
    }
    name += unit;
  }
  return [...names, name];
}

function unitsOf(segment: string): string[] {
  if (segment === '') return ['%'];
  if (segment === '.' || segment === '..') return [...segment].map(() => '%2E');
  return [...segment].map((character) => (mustEscape.test(character) ? percentEncode(character) : character));
}

const percentEncode = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** What a folder's entry stands for. Undefined: a version's bytes, or a file that is not ours. */
export function readEntryName(
  entry: string,
): { kind: 'blob' | 'folder' | 'continued'; text: string } | undefined {
  const [kind, suffix] = entry.endsWith(recordSuffix)
    ? (['blob', recordSuffix] as const)
    : entry.endsWith(continuedSuffix)
      ? (['continued', continuedSuffix] as const)
      : (['folder', ''] as const);
  const text = decodeName(entry.slice(0, entry.length - suffix.length));
  return text === undefined ? undefined : { kind, text };
}

function decodeName(name: string): string | undefined {
  if (name === '%') return '';
  if (name.includes('@')) return undefined;
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
