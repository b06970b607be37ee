import {
  create,
  type DescField,
  type DescMessage,
  type DescOneof,
  type JsonValue,
  type Message,
  type MessageShape,
  mergeFromJson,
  ScalarType,
} from '@bufbuild/protobuf';
import { isWrapperDesc, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { readTime } from '../rfc3339.ts';
import { invalidArgument } from './errors.ts';
import { maskPaths, shortened, wrongTime } from './field-text.ts';
import { isLong, settle } from './json-body.ts';
import { keyReader, scalarReader } from './json-scalars.ts';
import { creatorOf, type Fields } from './new-message.ts';
import type { JsonRules } from './service.ts';

/**
 * Reads JSON into a message, by protobuf's own rules, with what the clients of the contracts need beside: `null` for unset, masks in snake case,
 * times without an offset. A name that an enum does not know is refused even where unknown fields are ignored: a filter by it would match all.
 *
 * The functions that do so are made of the descriptors when a message is read first. What is rare (`Any`, `Struct`, durations) is left to protobuf-es,
 * field by field.
 */
export function readInto<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  json: JsonValue,
  rules: JsonRules,
): void {
  readersFor(rules)(desc)(message as Fields, json, 1);
}

/** One field of a message, as if it were the only one of its JSON. */
export function readField(field: DescField, message: Message, json: JsonValue, rules: JsonRules): void {
  readersFor(rules)(field.parent)(message as Fields, { [field.jsonName]: json }, 1);
}

type Read = (message: Fields, json: JsonValue, depth: number) => void;
type Compile = (desc: DescMessage) => Read;

const known = new WeakMap<JsonRules, Compile>();

function readersFor(rules: JsonRules): Compile {
  const before = known.get(rules);
  if (before !== undefined) return before;
  const readers = new WeakMap<DescMessage, Read>();
  const compile: Compile = (desc) => {
    const made = readers.get(desc) ?? messageReader(desc, rules, compile);
    readers.set(desc, made);
    return made;
  };
  known.set(rules, compile);
  return compile;
}

/** What protobuf-es itself allows. */
const deepest = 100;

interface Entry {
  readonly field: DescField;
  readonly read: Read;
  /** For its name in the proto: the one in JSON, by which it could be given a second time. */
  readonly other: string | undefined;
  readonly oneof: DescOneof | undefined;
}

function messageReader(desc: DescMessage, rules: JsonRules, compile: Compile): Read {
  let entries: ReadonlyMap<string, Entry> | undefined;
  const refuseUnknown = rules.unknownFields === 'refused';
  return (message, json, depth) => {
    if (depth > deepest) throw invalidArgument('The body is nested too deeply.');
    if (typeof json !== 'object' || json === null || Array.isArray(json) || isLong(json))
      throw invalidArgument(
        `The request is not valid: ${desc.name} is an object in JSON, not ${kindOf(json)}.`,
      );
    // At the first message, since a message can hold its own kind.
    entries ??= entriesOf(desc, rules, compile);
    let chosen: Map<DescOneof, DescField> | undefined;
    for (const key of Object.keys(json)) {
      const entry = entries.get(key);
      if (entry === undefined) {
        if (refuseUnknown)
          throw invalidArgument(`The request is not valid: ${desc.name} has no field "${shortened(key)}".`);
        continue;
      }
      const value = json[key] as JsonValue;
      if (entry.other !== undefined && Object.hasOwn(json, entry.other)) throw twice(entry.field.jsonName);
      if (entry.oneof !== undefined && value !== null) {
        chosen ??= new Map();
        const other = chosen.get(entry.oneof);
        if (other !== undefined) throw twice(`${other.jsonName} or ${entry.field.jsonName}`);
        chosen.set(entry.oneof, entry.field);
      }
      entry.read(message, value, depth);
    }
  };
}

const twice = (what: string) => invalidArgument(`The request is not valid: ${what} is given twice.`);

function entriesOf(desc: DescMessage, rules: JsonRules, compile: Compile): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const field of desc.fields) {
    const { name, jsonName, oneof } = field;
    const read = fieldReader(field, rules, compile);
    entries.set(name, { field, read, oneof, other: jsonName });
    entries.set(jsonName, { field, read, oneof, other: undefined });
  }
  return entries;
}

function fieldReader(field: DescField, rules: JsonRules, compile: Compile): Read {
  if (isRare(field)) return rareReader(field, rules);
  switch (field.fieldKind) {
    case 'list':
      return listReader(field, valueReader(field, rules, compile));
    case 'map':
      return mapReader(field, valueReader(field, rules, compile));
    default:
      return singularReader(field, rules, compile);
  }
}

/** Fields of messages with a JSON of their own, except times. */
const isRare = ({ message, enum: desc }: DescField): boolean =>
  desc?.typeName === 'google.protobuf.NullValue' ||
  (message?.typeName.startsWith('google.protobuf.') === true &&
    message.typeName !== TimestampSchema.typeName);

/** Reads a value that stands by itself: in a list, a map or a oneof, or of a field that has none yet. */
type ReadOne = (json: JsonValue, depth: number) => unknown;

function valueReader(field: DescField, rules: JsonRules, compile: Compile): ReadOne {
  const { message, jsonName } = field;
  if (message === undefined) return plainReader(field);
  if (message.typeName === TimestampSchema.typeName) return (json) => timeFrom(json, jsonName, rules);
  // At the first value, since a message can hold its own kind.
  let make: (() => Fields) | undefined;
  let read: Read | undefined;
  return (json, depth) => {
    make ??= creatorOf(message);
    read ??= compile(message);
    const value = make();
    read(value, json, depth + 1);
    return value;
  };
}

function plainReader(field: DescField): ReadOne {
  if (field.enum === undefined) return scalarReader(field.scalar ?? ScalarType.STRING, field.jsonName);
  const { jsonName } = field;
  const numbers = new Map(field.enum.values.map(({ name, number }) => [name, number]));
  const readNumber = scalarReader(ScalarType.INT32, jsonName);
  const { open } = field.enum;
  const isKnown = new Set(numbers.values());
  return (json) => {
    const number = typeof json === 'string' ? numbers.get(json) : readNumber(json);
    if (number === undefined || !(open || isKnown.has(Number(number))))
      throw invalidArgument(
        `${jsonName}: "${shortened(String(json))}" is none of ${[...numbers.keys()].join(', ')}.`,
      );
    return number;
  };
}

function singularReader(field: DescField, rules: JsonRules, compile: Compile): Read {
  const { localName, message: desc, oneof } = field;
  const readOne = valueReader(field, rules, compile);
  const mergesInto = desc !== undefined && desc.typeName !== TimestampSchema.typeName ? desc : undefined;
  const read = (before: unknown, json: JsonValue, depth: number): unknown => {
    if (mergesInto === undefined || before === undefined) return readOne(json, depth);
    compile(mergesInto)(before as Fields, json, depth + 1);
    return before;
  };
  if (oneof !== undefined) {
    const group = oneof.localName;
    return (message, json, depth) => {
      const has = message[group] as { case: string | undefined; value?: unknown };
      if (json !== null)
        message[group] = {
          case: localName,
          value: read(has.case === localName ? has.value : undefined, json, depth),
        };
      else if (desc !== undefined && has.case === localName) message[group] = { case: undefined };
    };
  }
  const zero = create(field.parent)[localName as keyof Message];
  const clear = (message: Fields) => {
    if (zero === undefined) delete message[localName];
    else message[localName] = zero;
  };
  if (mergesInto === undefined)
    return (message, json, depth) => {
      if (json === null) clear(message);
      else message[localName] = readOne(json, depth);
    };
  return (message, json, depth) => {
    if (json === null) clear(message);
    else message[localName] = read(message[localName], json, depth);
  };
}

function listReader({ localName, jsonName }: DescField, readOne: ReadOne): Read {
  return (message, json, depth) => {
    if (json === null) return;
    if (!Array.isArray(json)) throw wrongKind(jsonName, json, 'a list');
    const items = message[localName] as unknown[];
    for (const item of json) {
      if (item === null) throw invalidArgument(`${jsonName}: a list has no null in it.`);
      items.push(readOne(item, depth));
    }
  };
}

function mapReader(field: DescField & { fieldKind: 'map' }, readOne: ReadOne): Read {
  const { localName, jsonName } = field;
  const readKey = keyReader(field.mapKey, jsonName);
  const isText = field.mapKey === ScalarType.STRING;
  return (message, json, depth) => {
    if (json === null) return;
    if (typeof json !== 'object' || Array.isArray(json) || isLong(json))
      throw wrongKind(jsonName, json, 'an object');
    const map = message[localName] as Record<string, unknown>;
    // A number can be written in several ways, a text in one.
    const seen = isText ? undefined : new Set<string>();
    for (const text of Object.keys(json)) {
      const key = readKey(text);
      if (seen?.has(key)) throw twice(`the key ${shortened(text)} of ${jsonName}`);
      seen?.add(key);
      const value = json[text] as JsonValue;
      if (value === null) throw invalidArgument(`${jsonName}: "${shortened(text)}" is null.`);
      setOwn(map, key, readOne(value, depth));
    }
  };
}

/** As an assignment, but for a key __proto__. */
function setOwn(map: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') map[key] = value;
  else Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

function timeFrom(json: JsonValue, name: string, rules: JsonRules) {
  const time = typeof json === 'string' ? readTime(json) : undefined;
  if (time === undefined || (!time.hasOffset && rules.naiveTimestamps === 'refused'))
    throw wrongTime(name, typeof json === 'string' ? json : kindOf(json), rules);
  return { $typeName: TimestampSchema.typeName, seconds: BigInt(time.seconds), nanos: time.nanos };
}

/** By protobuf-es, of JSON that has nothing but this field. */
function rareReader(field: DescField, rules: JsonRules): Read {
  const { parent, jsonName, message: desc } = field;
  const options = {
    ignoreUnknownFields: rules.unknownFields === 'ignored',
    ...(rules.registry === undefined ? {} : { registry: rules.registry }),
  };
  const kind = (desc ?? field.enum)?.name ?? 'it';
  const prepared =
    desc?.typeName === 'google.protobuf.FieldMask'
      ? camelMask
      : desc !== undefined && isWrapperDesc(desc)
        ? exactly
        : settled;
  return (message, json) => {
    try {
      mergeFromJson(parent, message, { [jsonName]: throughout(field, json, prepared) }, options);
    } catch (error) {
      // Not in the words of protobuf-es, which repeat what was sent.
      throw invalidArgument(`${jsonName} is not what ${kind} is in JSON.`, error);
    }
  };
}

type Prepare = (json: JsonValue) => JsonValue;

/** Each value of a list or a map, or the one that there is. */
function throughout(field: DescField, json: JsonValue, prepare: Prepare): JsonValue {
  if (field.fieldKind === 'list' && Array.isArray(json)) return json.map(prepare);
  if (field.fieldKind !== 'map' || typeof json !== 'object' || json === null || Array.isArray(json))
    return prepare(json);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, prepare(value)]));
}

/** 64-bit integers may be texts, so a long one is its own text. */
const exactly: Prepare = (json) => (isLong(json) ? json.source : json);

const settled: Prepare = (json) => {
  if (isLong(json)) return Number(json.source);
  settle(json);
  return json;
};

const camelMask: Prepare = (json) =>
  typeof json === 'string' && json.includes('_')
    ? maskPaths(json)
        .map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
        .join(',')
    : settled(json);

const wrongKind = (name: string, json: JsonValue, expected: string) =>
  invalidArgument(`${name} is ${expected} in JSON, not ${kindOf(json)}.`);

function kindOf(json: JsonValue): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (isLong(json) || typeof json === 'number') return 'a number';
  return typeof json === 'object' ? 'an object' : typeof json === 'string' ? 'a text' : 'true or false';
}
