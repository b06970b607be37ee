import { type Problems, quote, trickCharacters } from '../bundle/problems.ts';

export const manifestFile = 'app.toml';

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The value's type in TOML's words. */
export function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (typeof value === 'boolean') return 'a boolean';
  return typeof value === 'string' ? 'a string' : 'a table';
}

/**
 * A table of app.toml, read the way real bundles need it: keys without regard to case, unknown ones passed over. What is wrong
 * goes to the problems, with the key as the person wrote it.
 */
export class Table {
  private readonly values = new Map<string, { key: string; value: unknown }>();
  private readonly problems: Problems;
  /** How the table is called in messages; empty for the whole file. */
  readonly label: string;

  constructor(source: unknown, label: string, problems: Problems) {
    this.label = label;
    this.problems = problems;
    if (!isTable(source)) {
      problems.add(manifestFile, label, `It is ${typeName(source)}, not a table.`, `Write it as [${label}].`);
      return;
    }
    for (const [key, value] of Object.entries(source)) {
      const earlier = this.values.get(key.toLowerCase());
      if (earlier !== undefined)
        this.problem(key, `It is also written as ${quote(earlier.key)}.`, 'Keep one of them.');
      this.values.set(key.toLowerCase(), { key, value });
    }
  }

  get isEmpty(): boolean {
    return this.values.size === 0;
  }

  get keys(): string[] {
    return [...this.values.values()].map(({ key }) => key);
  }

  problem(key: string, message: string, remedy: string): void {
    const shown = key.length > 100 ? `${key.slice(0, 100)}…` : key;
    this.problems.add(manifestFile, this.label === '' ? shown : `${this.label}.${shown}`, message, remedy);
  }

  raw(key: string): unknown {
    return this.values.get(key.toLowerCase())?.value;
  }

  has(key: string): boolean {
    return this.values.has(key.toLowerCase());
  }

  table(key: string): Table {
    return new Table(this.raw(key) ?? {}, key, this.problems);
  }

  /** The tables of `[[Key]]`. */
  tables(key: string): Table[] {
    const value = this.raw(key) ?? [];
    if (Array.isArray(value) && value.length <= 1000)
      return value.map((item, i) => new Table(item, `${key}[${i + 1}]`, this.problems));
    if (Array.isArray(value))
      this.problem(key, `There are ${value.length} of them.`, 'At most 1000 are allowed.');
    else this.problem(key, `It is ${typeName(value)}.`, `Write each as [[${key}]].`);
    return [];
  }

  /** A text as it is: several lines are fine, NUL and halves of characters are not. Numbers and booleans count as their text. */
  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
      return String(value);
    if (typeof value !== 'string') {
      this.problem(key, `It is ${typeName(value)}, not a string.`, `Write ${key} = "…".`);
      return undefined;
    }
    if (value.includes('\0') || !value.isWellFormed()) {
      this.problem(
        key,
        'It holds characters that no text may hold.',
        'Remove the NUL or the broken character.',
      );
      return undefined;
    }
    return value;
  }

  /** A text of one line without characters that do not show. Empty counts as absent. */
  line(key: string, maxLength: number): string | undefined {
    const value = this.raw(key);
    if (value !== undefined && typeof value !== 'string') {
      this.problem(key, `It is ${typeName(value)}, not a string.`, `Write ${key} = "…".`);
      return undefined;
    }
    const text = this.text(key);
    if (text === undefined || text === '') return undefined;
    if (text.length > maxLength) {
      this.problem(key, `It has ${text.length} characters.`, `At most ${maxLength} are allowed.`);
      return undefined;
    }
    if (trickCharacters.test(text)) {
      this.problem(key, `${quote(text)} holds line breaks, control or invisible characters.`, 'Remove them.');
      return undefined;
    }
    return text;
  }

  boolean(key: string): boolean {
    const value = this.raw(key);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    this.problem(
      key,
      `It is ${typeName(value)}, not true or false.`,
      `Write ${key} = true or ${key} = false.`,
    );
    return false;
  }

  integer(key: string): number | undefined {
    const value = this.raw(key);
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
    this.problem(key, `It is not a whole number.`, `Write ${key} = 1, without quotes.`);
    return undefined;
  }

  /** One of the words, whatever its case. */
  oneOf<const T extends string>(key: string, words: readonly T[], fallback: T): T {
    const text = this.line(key, 200);
    if (text === undefined) return fallback;
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (found === undefined)
      this.problem(key, `${quote(text)} is not known.`, `Use one of: ${words.join(', ')}.`);
    return found ?? fallback;
  }
}
