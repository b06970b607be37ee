import {
  type DescEnum,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  mergeFromJson,
  ScalarType,
} from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { messageOf } from '../errors.ts';
import { invalidArgument } from './errors.ts';
import { maskPaths, shortened, timestampFromText } from './field-text.ts';
import type { JsonRules } from './service.ts';

export interface Body {
  readonly json: JsonValue;
  /** Whether it has numbers that JavaScript cannot hold: they are `LongNumber` until it is known what they are for. */
  readonly hasLong: boolean;
}

export const noBody: Body = { json: {}, hasLong: false };

/** Parses the bytes of a body, which may be empty. */
export function parseJson(bytes: Buffer): Body {
  if (bytes.length === 0) return noBody;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidArgument('The body is not UTF-8.');
  }
  if (text.trim() === '') return noBody;
  try {
    const hasLong = longNumber.test(text);
    return { json: hasLong ? parseExactly(text, exact) : JSON.parse(text), hasLong };
  } catch (error) {
    throw invalidArgument(`The body is not JSON: ${shortened(messageOf(error))}.`, error);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const longNumber = /\d{16}/;

class LongNumber {
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
function settle(json: JsonValue): void {
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

const isLong = (json: unknown): json is LongNumber => json instanceof LongNumber;

/**
 * Reads JSON into a message, by protobuf's own rules, with what the clients of the contracts need beside: `null` for unset, masks in snake case,
 * times without an offset. A name that an enum does not know is refused even where unknown fields are ignored: a filter by it would match all.
 */
export function readInto<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  { json, hasLong }: Body,
  rules: JsonRules,
): void {
  tidy(desc, json, rules, 0);
  if (hasLong) settle(json);
  mergeChecked(desc, message, json, rules);
}

export function mergeChecked<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  json: JsonValue,
  rules: JsonRules,
): void {
  try {
    mergeFromJson(desc, message, json, {
      ignoreUnknownFields: rules.unknownFields === 'ignored',
      ...(rules.registry === undefined ? {} : { registry: rules.registry }),
    });
  } catch (error) {
    throw invalidArgument(`The request is not valid: ${shortened(messageOf(error))}.`, error);
  }
}

/** What protobuf-es itself allows. */
const deepest = 100;

/** Corrects a field's JSON, or refuses it. */
type Step = (json: JsonValue, rules: JsonRules, depth: number) => JsonValue;

function tidy(desc: DescMessage, json: JsonValue, rules: JsonRules, depth: number): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
  if (depth > deepest) throw invalidArgument('The body is nested too deeply.');
  const steps = stepsOf(desc);
  if (steps.size === 0) return;
  for (const key of Object.keys(json)) {
    const step = steps.get(key);
    const value = json[key];
    // Own names of fields only, so that no key of the sender's is written.
    if (step !== undefined && value !== undefined && value !== null) json[key] = step(value, rules, depth);
  }
}

const known = new WeakMap<DescMessage, ReadonlyMap<string, Step>>();

function stepsOf(desc: DescMessage): ReadonlyMap<string, Step> {
  const before = known.get(desc);
  if (before !== undefined) return before;
  const steps = new Map<string, Step>();
  known.set(desc, steps);
  if (desc.typeName.startsWith('google.protobuf.')) return steps;
  for (const field of desc.fields) {
    const name = field.jsonName;
    const one =
      field.message !== undefined
        ? messageStep(field.message, name)
        : field.enum !== undefined
          ? enumStep(field.enum, name)
          : field.scalar !== undefined && wide.has(field.scalar)
            ? exactly
            : undefined;
    if (one === undefined) continue;
    const step = field.fieldKind === 'list' ? each(one) : field.fieldKind === 'map' ? eachValue(one) : one;
    steps.set(field.name, step).set(name, step);
  }
  return steps;
}

function messageStep(desc: DescMessage, name: string): Step | undefined {
  if (desc.typeName === 'google.protobuf.Timestamp')
    return (json, rules) => (typeof json === 'string' ? timestampFromText(json, name, rules) : json);
  if (desc.typeName === 'google.protobuf.FieldMask')
    return (json) => (typeof json === 'string' && json.includes('_') ? camelMask(json) : json);
  if (desc.typeName.startsWith('google.protobuf.')) return isWrapperDesc(desc) ? exactly : undefined;
  return (json, rules, depth) => {
    tidy(desc, json, rules, depth + 1);
    return json;
  };
}

const wide: ReadonlySet<ScalarType> = new Set([
  ...[ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64],
  ...[ScalarType.FIXED64, ScalarType.SFIXED64],
]);

/** 64-bit integers may be texts, so a long one is its own text. */
const exactly: Step = (json) => (isLong(json) ? json.source : json);

const camelMask = (text: string): string =>
  maskPaths(text)
    .map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
    .join(',');

function enumStep(desc: DescEnum, name: string): Step | undefined {
  if (desc.typeName === 'google.protobuf.NullValue') return undefined;
  const names = new Set(desc.values.map((value) => value.name));
  return (json) => {
    if (typeof json === 'string' && !names.has(json))
      throw invalidArgument(`${name}: "${shortened(json)}" is none of ${[...names].join(', ')}.`);
    return json;
  };
}

const each =
  (step: Step): Step =>
  (json, rules, depth) =>
    Array.isArray(json) ? json.map((item) => (item === null ? item : step(item, rules, depth))) : json;

const eachValue =
  (step: Step): Step =>
  (json, rules, depth) =>
    typeof json === 'object' && json !== null && !Array.isArray(json)
      ? Object.fromEntries(
          Object.entries(json).map(([key, value]) => [
            key,
            value === null ? value : step(value, rules, depth),
          ]),
        )
      : json;
