/**
 * Quoted texts. In single quotes nothing is escaped, because that is how clients write them: `'o'brien'` is o'brien, and `'C:\temp'` has no tab. So
 * a quote ends a text where what follows can follow a value, and is part of it elsewhere. In double quotes, and in the lists of `in`, which are
 * Python's, a backslash escapes.
 */

export interface Quoted {
  readonly text: string;
  /** After the closing quote. */
  readonly end: number;
}

export type Place = 'value' | 'list' | 'call';

/** Undefined when nothing closes it. `depth` counts the parentheses that are open around it. */
export function readQuoted(source: string, start: number, place: Place, depth: number): Quoted | undefined {
  const quote = source[start];
  const isEscaped = quote === '"' || place === 'list';
  let last: number | undefined;
  for (let at = start + 1; at < source.length; at++) {
    if (isEscaped && source[at] === '\\') at++;
    else if (source[at] === quote) {
      last = at;
      if (canEnd(source, at + 1, place, depth)) break;
    }
  }
  if (last === undefined) return undefined;
  const raw = source.slice(start + 1, last);
  return { text: isEscaped ? unescaped(raw) : raw, end: last + 1 };
}

const afterList = /\s*(?:,\s*(?:$|\]|['"\d+-]|true\b|false\b|timestamp\b)|\])/iy;
const afterCall = /\s*\)/y;
const closing = /[\s)]*/y;
const joined = /(?<=[\s)])(?:and|or)(?=[\s(])(?:[\s(]|not(?=[\s(]))*[a-z_][\w.]*\s*(?:[=!<>:]|in\s*\[)/iy;
/** A joiner was forgotten: that is a mistake to be told, and no text that goes on. */
const unjoined = /(?<=[\s)])[a-z_][\w.]*\s*[=!<>:]/iy;

/** Whether what follows reads like the rest of a filter. Spaces and parentheses of a source are passed once each: two quotes share none. */
function canEnd(source: string, at: number, place: Place, depth: number): boolean {
  if (place === 'list') return testAt(afterList, source, at);
  if (place === 'call') return testAt(afterCall, source, at);
  closing.lastIndex = at;
  const [passed = ''] = closing.exec(source) ?? [];
  if (passed.split(')').length - 1 > depth) return false;
  const next = at + passed.length;
  return next === source.length || testAt(joined, source, next) || testAt(unjoined, source, next);
}

function testAt(pattern: RegExp, source: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(source);
}

const escapes = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g;
const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', "'": "'", '"': '"', '\\': '\\' };

/** As Python reads a literal: what is no escape stays as it is. */
const unescaped = (raw: string): string =>
  raw.replace(escapes, (whole: string, x?: string, u?: string, long?: string, one?: string) => {
    if (one !== undefined) return named[one] ?? whole;
    const code = Number.parseInt(x ?? u ?? long ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/** The shortest that reads back as the same text. */
export const quoted = (text: string, place: 'value' | 'list'): string =>
  text.includes("'") || (place === 'list' && text.includes('\\')) ? escaped(text) : `'${text}'`;

const escaped = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
