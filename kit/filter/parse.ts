import { badFilter, shown } from './errors.ts';
import {
  type Comparison,
  comparisons,
  type Filter,
  type FilterField,
  type FilterFields,
  type FilterValue,
  fieldIn,
  limits,
  operatorsOf,
} from './model.ts';
import { type Place, readQuoted } from './quoted.ts';
import { type Literal, valueFor } from './values.ts';

/**
 * Reads a filter such as `display_name = 'x' AND (create_time >= timestamp('2026-01-02T03:04:05Z') OR NOT state in ['READY'])`. AND binds tighter
 * than OR. Undefined for an empty one, which keeps everything. Throws `invalid_filter`, with what is wrong where.
 */
export function parseFilter(source: string, fields: FilterFields): Filter | undefined {
  if (source.length > limits.characters)
    throw badFilter(limits.characters, `it is longer than ${limits.characters} characters.`);
  if (source.trim() === '') return undefined;
  const parser = new Parser(source, fields);
  return parser.all();
}

class Parser {
  readonly #source: string;
  readonly #fields: FilterFields;
  #at = 0;
  /** Parentheses that are open, which a quote has to know of. */
  #open = 0;
  #nested = 0;
  #values = 0;

  constructor(source: string, fields: FilterFields) {
    this.#source = source;
    this.#fields = fields;
  }

  all(): Filter {
    const filter = this.#either();
    if (this.#at < this.#source.length) throw this.#expected('AND or OR');
    return filter;
  }

  #either(): Filter {
    const terms = [this.#both()];
    while (this.#takeWord(/or/iy)) terms.push(this.#both());
    return joined('or', terms);
  }

  #both(): Filter {
    const terms = [this.#unary()];
    while (this.#takeWord(/and/iy)) terms.push(this.#unary());
    return joined('and', terms);
  }

  #unary(): Filter {
    if (this.#takeWord(/not/iy)) return { kind: 'not', term: this.#nest(() => this.#unary()) };
    if (this.#take(/\(/y) === undefined) return this.#restriction();
    this.#open++;
    const filter = this.#nest(() => this.#either());
    if (this.#take(/\)/y) === undefined) throw this.#expected('AND, OR or a closing parenthesis');
    this.#open--;
    return filter;
  }

  #nest(read: () => Filter): Filter {
    if (++this.#nested > limits.depth) throw this.#wrong(`it is nested deeper than ${limits.depth}.`);
    const filter = read();
    this.#nested--;
    return filter;
  }

  #restriction(): Filter {
    const start = this.#skip();
    const name = this.#take(/[a-z_][\w.]*/iy);
    if (name === undefined) throw this.#expected('the name of a field');
    const field = fieldIn(this.#fields, name);
    if (field === undefined) throw badFilter(start, this.#noSuchField(name));
    const at = this.#skip();
    const operator = this.#takeWord(/in/iy) ? 'in' : this.#take(/!=|<=|>=|[=<>:]/y);
    if (operator === undefined) throw this.#expected(`an operator for ${name}`);
    if (!operatorsOf(field).includes(operator))
      throw badFilter(at, `${name} has no operator "${operator}". It has ${operatorsOf(field).join(' ')}.`);
    if (operator === 'in') return { kind: 'in', field: name, values: this.#list(name, field) };
    const known = comparisons.find((each) => each === operator) as Comparison;
    return { kind: 'compare', field: name, operator: known, value: this.#value(name, field, 'value') };
  }

  #list(name: string, field: FilterField): FilterValue[] {
    if (this.#take(/\[/y) === undefined) throw this.#expected("a list such as ['a', 'b']");
    const values: FilterValue[] = [];
    while (this.#take(/\]/y) === undefined) {
      values.push(this.#value(name, field, 'list'));
      if (this.#take(/,/y) !== undefined) continue;
      if (this.#take(/\]/y) !== undefined) break;
      throw this.#expected('a comma or the end of the list');
    }
    return values;
  }

  #value(name: string, field: FilterField, place: Place): FilterValue {
    if (++this.#values > limits.values) throw this.#wrong(`it has more than ${limits.values} values.`);
    const start = this.#skip();
    const literal = this.#literal(place);
    if (literal === undefined) throw this.#expected(`a value for ${name}`);
    const value = valueFor(field, literal);
    if (typeof value === 'object') throw badFilter(start, `${name} ${value.expected}`);
    return value;
  }

  #literal(place: Place): Literal | undefined {
    const text = this.#quoted(place);
    if (text !== undefined) return { kind: 'quoted', text };
    if (this.#take(/timestamp\s*\(/iy) !== undefined) {
      const inner = this.#quoted('call');
      if (inner === undefined) throw this.#expected("a quoted time such as '2026-01-31T12:00:00Z'");
      if (this.#take(/\)/y) === undefined) throw this.#expected('a closing parenthesis');
      return { kind: 'timestamp', text: inner };
    }
    const number = this.#take(/[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.])/iy);
    if (number !== undefined) return { kind: 'number', text: number };
    const word = this.#take(/[a-z_]\w*/iy);
    return word === undefined ? undefined : { kind: 'word', text: word };
  }

  #quoted(place: Place): string | undefined {
    const start = this.#skip();
    if (!/['"]/.test(this.#source[start] ?? '')) return undefined;
    const found = readQuoted(this.#source, start, place, this.#open);
    if (found === undefined) throw badFilter(start, 'this quote is not closed.');
    this.#at = found.end;
    return found.text;
  }

  /** Passes spaces and says where it is. */
  #skip(): number {
    while (/\s/.test(this.#source[this.#at] ?? '')) this.#at++;
    return this.#at;
  }

  /** What the pattern finds behind spaces. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#skip();
    const found = pattern.exec(this.#source)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #takeWord(word: RegExp): boolean {
    const before = this.#at;
    const found = this.#take(word) !== undefined && !/[\w.]/.test(this.#source[this.#at] ?? '');
    if (!found) this.#at = before;
    return found;
  }

  #wrong(why: string) {
    return badFilter(this.#skip(), why);
  }

  #expected(what: string) {
    const at = this.#skip();
    const rest = this.#source.slice(at);
    return badFilter(at, `expected ${what}, not ${rest === '' ? 'its end' : `"${shown(rest)}"`}.`);
  }

  #noSuchField(name: string): string {
    return `there is no field "${shown(name)}" to filter by. There is ${Object.keys(this.#fields).join(', ')}.`;
  }
}

const joined = (kind: 'and' | 'or', terms: readonly Filter[]): Filter =>
  terms.length === 1 && terms[0] !== undefined ? terms[0] : { kind, terms };
