import { compileExpression, type Expression } from './expression.ts';
import type { Filter } from './filter.ts';

/** Of an event, what expressions look at. */
export interface Looked {
  readonly source: string;
  readonly action: string;
  readonly status_code: number | null;
  readonly principal: string;
  readonly source_address: string;
  readonly resource: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly workspace: string;
}

export type Matcher = (event: Looked) => boolean;

const textOf: Readonly<Record<keyof Filter['regex'], (event: Looked) => string>> = {
  eventSource: ({ source }) => source,
  resource: ({ resource }) => resource,
  statusCode: ({ status_code: code }) => (code === null ? '' : String(code)),
  principal: ({ principal }) => principal,
  sourceIpAddress: ({ source_address: address }) => address,
  workspace: ({ workspace }) => workspace,
  action: ({ action }) => action,
};

/** What the expressions of a filter say; undefined when it has none. Throws `invalid_filter` for one that is none. */
export function matcherOf({ regex, metadataRegex }: Filter): Matcher | undefined {
  const matchers: Matcher[] = [];
  for (const [field, source] of Object.entries(regex)) {
    const text = textOf[field as keyof Filter['regex']];
    const matches = remembering(compileExpression(`${field}Regex`, source));
    matchers.push((event) => matches(text(event)));
  }
  for (const [key, source] of Object.entries(metadataRegex)) {
    const matches = remembering(compileExpression(`metadataRegex.${key.slice(0, 80)}`, source));
    matchers.push(({ metadata }) => {
      const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
      return value !== undefined && matches(value);
    });
  }
  return matchers.length === 0 ? undefined : (event) => matchers.every((matches) => matches(event));
}

const mostRemembered = 1000;

/** A trail has few actions, people and sources, many times each. */
function remembering(matches: Expression): Expression {
  const known = new Map<string, boolean>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const answer = matches(text);
    if (known.size < mostRemembered) known.set(text, answer);
    return answer;
  };
}
