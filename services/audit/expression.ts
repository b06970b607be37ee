import { messageOf } from '@haic/kit/errors.ts';
import { RE2JS } from 're2js';
import { wrongFilter } from './refusals.ts';

/** Matches anywhere in a text, in time that grows with the text only (RE2), whatever the expression. */
export type Expression = (text: string) => boolean;

/** Characters. A program of RE2 is at most a thousand times as large as its expression. */
const longest = 1000;
const notRegular = /\(\?(?:=|!|<=|<!|>)|\(\?P=|\\[1-9]|\\k[<{']|[*+?}]\+/;

/** Throws `invalid_filter` for what RE2 does not know, with the name of the filter. */
export function compileExpression(name: string, source: string): Expression {
  if (source.length > longest) throw wrongFilter(`${name} has more than ${longest} characters.`);
  try {
    const compiled = RE2JS.compile(source);
    return (text) => compiled.test(text);
  } catch (cause) {
    const because = notRegular.test(source)
      ? 'lookaround, backreferences and possessive quantifiers are not possible in RE2, which never takes long'
      : `it is no expression of RE2 (${messageOf(cause)})`;
    throw wrongFilter(`${name}: ${because}.`);
  }
}
