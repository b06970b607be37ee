import { HaicError } from '@haic/kit/errors.ts';

/** What is wrong with a bundle, where, and what to do about it. */
export interface Problem {
  /** Path in the bundle; the bundle's own name is `bundle`. */
  readonly file: string;
  /** `App.Name`, `Env[2].Value`, …; null when it is not about one key. */
  readonly key: string | null;
  readonly message: string;
  readonly remedy: string;
}

/** A hostile archive can be wrong in a million ways; nobody reads more than these. */
const mostProblems = 50;

/** Collects problems so that a person sees all of them at once. */
export class Problems {
  readonly found: Problem[] = [];

  add(file: string, key: string | null, message: string, remedy: string): void {
    this.found.push({ file, key, message, remedy: remedy });
    if (this.found.length >= mostProblems) throw this.error();
  }

  throwIfAny(): void {
    if (this.found.length > 0) throw this.error();
  }

  error(): HaicError {
    const lines = this.found.map((problem) => {
      const where = problem.key === null ? problem.file : `${problem.file}, ${problem.key}`;
      return `${where}: ${problem.message} ${problem.remedy}`;
    });
    const more = lines.length > 5 ? ` … and ${lines.length - 5} more.` : '';
    return new HaicError(
      'bundle_invalid',
      400,
      `This bundle cannot be imported. ${lines.slice(0, 5).join(' ')}${more}`,
      { details: { problems: this.found } },
    );
  }
}

/** One problem that leaves nothing else to check. */
export function bundleInvalid(file: string, message: string, remedy: string): HaicError {
  const problems = new Problems();
  problems.add(file, null, message, remedy);
  return problems.error();
}

/** Text of a stranger, made fit for an error message: shortened, what does not show written as escapes. */
export function quote(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return `"${short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)}"`;
}

/** Characters that make a text look like another one: controls, bidirectional overrides, invisible ones. */
export const trickCharacters =
  /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;
