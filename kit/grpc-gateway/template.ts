/**
 * Path templates of `google.api.http` (google/api/http.proto): `/v1/{name=workspaces/*}/books:batchGet`. A template and a path are both lists
 * of segments and a verb; a variable takes the segments that its part of the template matched, joined by `/`.
 */
export interface Template {
  readonly source: string;
  readonly segments: readonly Segment[];
  readonly verb: string | undefined;
  readonly variables: readonly Variable[];
}

/** A literal, `*` (one segment) or `**` (any number of them, the last of a template). */
type Segment = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'one' | 'rest' };

interface Variable {
  /** As the template writes it: `book.name`. */
  readonly field: string;
  readonly from: number;
  /** Exclusive; undefined where `**` is part of it. */
  readonly to: number | undefined;
}

/** A path as it is matched: decoded, without empty segments. */
export interface Path {
  readonly segments: readonly string[];
}

const wildcards: Readonly<Record<string, Segment>> = { '*': { kind: 'one' }, '**': { kind: 'rest' } };

/** Throws on what is no template: these come from our own protos, so it is found when a service starts. */
export function parseTemplate(source: string): Template {
  const wrong = (why: string) => new Error(`The path template ${source} is wrong: ${why}.`);
  const match = /^\/(?<path>.*?)(?::(?<verb>[A-Za-z][\w.-]*))?$/.exec(source);
  const text = match?.groups?.path;
  if (text === undefined || text === '') throw wrong('it has to start with / and name something');
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  for (const part of splitOutsideBraces(text)) {
    const variable = /^\{(?<field>\w+(?:\.\w+)*)(?:=(?<pattern>[^{}]+))?\}$/.exec(part)?.groups;
    if (variable?.field === undefined && /[{}]/.test(part)) throw wrong(`${part} is no variable`);
    const from = segments.length;
    for (const word of (variable === undefined ? part : (variable.pattern ?? '*')).split('/')) {
      if (word === '') throw wrong('it has an empty segment');
      segments.push(wildcards[word] ?? { kind: 'literal', text: word });
    }
    if (variable?.field === undefined) continue;
    const takesRest = segments.at(-1)?.kind === 'rest';
    variables.push({ field: variable.field, from, to: takesRest ? undefined : segments.length });
  }
  const rest = segments.findIndex(({ kind }) => kind === 'rest');
  if (rest !== -1 && rest !== segments.length - 1) throw wrong('** is allowed at its end only');
  return { source, segments, verb: match?.groups?.verb, variables };
}

/** `a/{b=c/d}/e` has three parts. */
const splitOutsideBraces = (text: string): string[] => text.split(/\/(?![^{]*\})/);

/**
 * Splits a path as it came. `%2F` is a `/` here before anything is matched: clients of the H2O AI Cloud send a whole resource name as one
 * encoded segment (`/v1/workspaces%2Fdefault/secrets`). Empty segments are dropped, because clients join addresses by `//`. Undefined for
 * what is no percent-encoded UTF-8, or has control characters in it.
 */
export function readPath(raw: string): Path | undefined {
  const decoded = decodeText(raw);
  if (decoded === undefined || hasControlCharacters(decoded)) return undefined;
  return { segments: decoded.split('/').filter((segment) => segment !== '') };
}

/** Undefined for what is no percent-encoded UTF-8. */
export function decodeText(text: string): string | undefined {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text;
  } catch {
    return undefined;
  }
}

function hasControlCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** The values of the template's variables, or undefined when the path is another one. */
export function matchTemplate(template: Template, path: Path): Map<string, string> | undefined {
  const segments = withoutVerb(path.segments, template.verb);
  if (segments === undefined || !fits(template.segments, segments)) return undefined;
  return new Map(
    template.variables.map(({ field, from, to }) => [field, segments.slice(from, to).join('/')] as const),
  );
}

/** A last segment `x:undelete` is `x` for a template with that verb, and a name with a colon for one that has none. */
function withoutVerb(segments: readonly string[], verb: string | undefined): readonly string[] | undefined {
  if (verb === undefined) return segments;
  const last = segments.at(-1);
  if (last === undefined || !last.endsWith(`:${verb}`)) return undefined;
  const name = last.slice(0, -verb.length - 1);
  return name === '' ? undefined : [...segments.slice(0, -1), name];
}

function fits(expected: readonly Segment[], segments: readonly string[]): boolean {
  const open = expected.at(-1)?.kind === 'rest';
  if (open ? segments.length < expected.length - 1 : segments.length !== expected.length) return false;
  return expected.every((segment, at) => segment.kind !== 'literal' || segment.text === segments[at]);
}

/** Orders templates so that the more exact one is asked first: with a verb, then by literals from the left, then the longer. */
export function byExactness(a: Template, b: Template): number {
  if ((a.verb === undefined) !== (b.verb === undefined)) return a.verb === undefined ? 1 : -1;
  const length = Math.min(a.segments.length, b.segments.length);
  for (let at = 0; at < length; at++) {
    const difference = rank(a.segments[at]) - rank(b.segments[at]);
    if (difference !== 0) return difference;
  }
  return b.segments.length - a.segments.length;
}

const ranks = { literal: 0, one: 1, rest: 2 } as const;
const rank = (segment: Segment | undefined): number => ranks[segment?.kind ?? 'rest'];
