import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type MessageInitShape,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { isTime, timeText } from '../rfc3339.ts';
import type { JsonRules } from './service.ts';

/**
 * A message as the contracts want it: every field without presence is written, zero values included, enums by name, 64-bit integers as texts.
 * Messages and `optional` fields that are unset are left out, except times where a contract wants `null`.
 *
 * The text is written at once, by functions that are made of the descriptors when a message is written first: a tree of objects in between would be
 * most of the cost of a small answer. What is rare (`Any`, `Struct`, masks, durations) is left to protobuf-es. What a message can be made of (an
 * init shape) is written like the message.
 */
export function writeJson<Desc extends DescMessage>(
  desc: Desc,
  message: MessageInitShape<Desc>,
  rules: JsonRules,
): string {
  return writersFor(rules).outermost(desc)(message as Fields);
}

/** One field of an answer, as `response_body` wants it: `{}` when it is unset. */
export function writeField(field: DescField, message: object, rules: JsonRules): string {
  return writersFor(rules).value(field)(message as Fields) || '{}';
}

/** A message as it is in memory: values by local names. */
type Fields = Readonly<Record<string, unknown>>;
type Write<T = unknown> = (value: T) => string;

interface Writers {
  readonly outermost: (desc: DescMessage) => Write<Fields>;
  /** Of the message that has the field: what stands behind its name, or nothing when it is left out. */
  readonly value: (field: DescField) => Write<Fields>;
}

const known = new WeakMap<JsonRules, Writers>();

function writersFor(rules: JsonRules): Writers {
  const before = known.get(rules);
  if (before !== undefined) return before;
  const made = createWriters(rules);
  known.set(rules, made);
  return made;
}

function createWriters(rules: JsonRules): Writers {
  const messages = new WeakMap<DescMessage, Write<Fields>>();
  const outermosts = new WeakMap<DescMessage, Write<Fields>>();
  const fields = new WeakMap<DescField, Write<Fields>>();
  const messageOf: Compile = (desc) =>
    cached(messages, desc, () => messageWriter(desc, rules, messageOf, false));
  return {
    outermost: (desc) =>
      cached(outermosts, desc, () =>
        rules.emptyPageToken === 'omitted' ? messageWriter(desc, rules, messageOf, true) : messageOf(desc),
      ),
    value: (field) => cached(fields, field, () => fieldWriter(field, rules, messageOf, '')),
  };
}

type Compile = (desc: DescMessage) => Write<Fields>;

function cached<K extends object, V>(values: WeakMap<K, V>, key: K, make: () => V): V {
  const before = values.get(key);
  if (before !== undefined) return before;
  const made = make();
  values.set(key, made);
  return made;
}

/** A field with its name, or nothing when it is left out. */
interface Part {
  readonly first: Write<Fields>;
  /** The same, behind a comma. */
  readonly next: Write<Fields>;
}

function messageWriter(
  desc: DescMessage,
  rules: JsonRules,
  messageOf: Compile,
  omitsEmptyToken: boolean,
): Write<Fields> {
  if (desc.typeName.startsWith('google.protobuf.')) return wellKnownWriter(desc, rules);
  const parts = desc.fields.map((field): Part => {
    const name = `${JSON.stringify(field.jsonName)}:`;
    const first = fieldWriter(field, rules, messageOf, name);
    const next = fieldWriter(field, rules, messageOf, `,${name}`);
    if (!omitsEmptyToken || field.jsonName !== 'nextPageToken') return { first, next };
    const has = (message: Fields) => Boolean(message[field.localName]);
    return {
      first: (message) => (has(message) ? first(message) : ''),
      next: (message) => (has(message) ? next(message) : ''),
    };
  });
  return (message) => {
    let text = '{';
    for (let at = 0; at < parts.length; at++) {
      const { first, next } = parts[at] as Part;
      text += text.length === 1 ? first(message) : next(message);
    }
    return `${text}}`;
  };
}

function wellKnownWriter(desc: DescMessage, rules: JsonRules): Write<Fields> {
  if (desc.typeName === TimestampSchema.typeName) return (time) => writeTime(time as Partial<Timestamp>);
  const options = optionsOf(rules);
  return (message) =>
    JSON.stringify(toJson(desc, create(desc, message as MessageInitShape<DescMessage>), options));
}

const optionsOf = ({ registry }: JsonRules) => ({
  alwaysEmitImplicit: true,
  ...(registry === undefined ? {} : { registry }),
});

/** `name` and the value behind it; nothing for a field that is left out. Each text that is made costs, so what is known before is one with its name. */
function fieldWriter(field: DescField, rules: JsonRules, messageOf: Compile, name: string): Write<Fields> {
  const { localName, oneof } = field;
  const write = isPlain(field) ? valueWriter(field, messageOf) : undefined;
  if (write === undefined) return rareWriter(field, rules, name);
  if (oneof !== undefined) {
    const group = oneof.localName;
    return (message) => {
      const chosen = message[group] as { readonly case?: string; readonly value?: unknown } | undefined;
      return chosen?.case === localName ? name + write(chosen.value) : '';
    };
  }
  if (field.fieldKind !== 'message' && hasPresence(field))
    // Not what stands on a prototype, as a default of an older syntax.
    return (message) =>
      Object.hasOwn(message, localName) && message[localName] != null ? name + write(message[localName]) : '';
  const unset = unsetText(field, rules);
  const text = unset === '' ? '' : name + unset;
  const zero = (create(field.parent) as Fields)[localName];
  return (message) => {
    const value = message[localName];
    return value === undefined || value === null || value === zero ? text : name + write(value);
  };
}

/** What protobuf-es keeps in memory as it came in, or writes by rules of its own. */
function isPlain(field: DescField): boolean {
  const { message } = field;
  if (field.enum?.typeName === 'google.protobuf.NullValue') return false;
  if (message === undefined || message.typeName === TimestampSchema.typeName) return true;
  return !message.typeName.startsWith('google.protobuf.') || message.typeName === 'google.protobuf.Empty';
}

/** By protobuf-es, of a message that has nothing but this field. */
function rareWriter(field: DescField, rules: JsonRules, name: string): Write<Fields> {
  const { parent, localName, jsonName, oneof } = field;
  const options = optionsOf(rules);
  const held = oneof?.localName ?? localName;
  const isAlwaysThere = field.fieldKind === 'list' || field.fieldKind === 'map' || !hasPresence(field);
  return (message) => {
    const value = message[held];
    if (value === undefined && !isAlwaysThere) return '';
    const alone = create(parent, { [held]: value } as MessageInitShape<DescMessage>);
    const json = (toJson(parent, alone, options) as JsonObject)[jsonName];
    return json === undefined ? '' : name + JSON.stringify(json);
  };
}

function unsetText(field: DescField, rules: JsonRules): string {
  switch (field.fieldKind) {
    case 'list':
      return '[]';
    case 'map':
      return '{}';
    case 'message':
      return rules.unsetTimestamps === 'null' && field.message.typeName === TimestampSchema.typeName
        ? 'null'
        : '';
    case 'enum':
      return hasPresence(field) ? '' : enumWriter(field.enum)(field.enum.values[0]?.number ?? 0);
    case 'scalar':
      return hasPresence(field) ? '' : zeroOf(field.scalar);
  }
}

const hasPresence = (field: DescField): boolean => field.presence !== FeatureSet_FieldPresence.IMPLICIT;

function zeroOf(scalar: ScalarType): string {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return '""';
  if (scalar === ScalarType.BOOL) return 'false';
  return wide.has(scalar) ? '"0"' : '0';
}

function valueWriter(field: DescField, messageOf: Compile): Write {
  const { message } = field;
  const one =
    message !== undefined
      ? laterOf(() => messageOf(message))
      : field.enum !== undefined
        ? enumWriter(field.enum)
        : scalarWriter(field.scalar ?? ScalarType.STRING);
  if (field.fieldKind === 'list') return listOf(one);
  return field.fieldKind === 'map' ? mapOf(one) : one;
}

/** Found at the first value, since a message can hold its own kind. */
function laterOf(find: () => Write<Fields>): Write {
  let found: Write<Fields> | undefined;
  return (value) => {
    found ??= find();
    return found(value as Fields);
  };
}

const listOf =
  (one: Write): Write =>
  (values) => {
    let text = '';
    for (const value of values as readonly unknown[]) text += text === '' ? one(value) : `,${one(value)}`;
    return `[${text}]`;
  };

const mapOf =
  (one: Write): Write =>
  (map) => {
    let text = '';
    for (const key of Object.keys(map as Fields))
      text += `${text === '' ? '' : ','}${writeText(key)}:${one((map as Fields)[key])}`;
    return `{${text}}`;
  };

/** A value that the enum does not know is its number. */
function enumWriter(desc: DescEnum): Write {
  const names = new Map(desc.values.map(({ number, name }) => [number, JSON.stringify(name)]));
  return (value) => names.get(numberIn(value)) ?? String(value);
}

export const wide: ReadonlySet<ScalarType> = new Set([
  ...[ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64],
  ...[ScalarType.FIXED64, ScalarType.SFIXED64],
]);

function scalarWriter(scalar: ScalarType): Write {
  switch (scalar) {
    case ScalarType.STRING:
      return writeText;
    case ScalarType.BOOL:
      return (value) => (value === true ? 'true' : 'false');
    case ScalarType.BYTES:
      return (value) => `"${bytesIn(value).toString('base64')}"`;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return writeFloat;
    default:
      return wide.has(scalar) ? (value) => `"${value}"` : (value) => String(numberIn(value));
  }
}

function writeText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`A text is ${typeof value}.`);
  // What is short and needs no escape, as most is.
  if (value.length > 40) return JSON.stringify(value);
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c || code >= firstSurrogate) return JSON.stringify(value);
  }
  return `"${value}"`;
}

/** Halves of a character, which are escaped where they stand alone. */
const firstSurrogate = 0xd800;

/** JSON has no −0. */
function writeFloat(value: unknown): string {
  const number = numberIn(value);
  return Number.isFinite(number) ? String(number) : `"${number}"`;
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`A number is ${typeof value}.`);
  return value;
}

function bytesIn(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new TypeError(`Bytes are ${typeof value}.`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function writeTime({ seconds = 0n, nanos = 0 }: Partial<Timestamp>): string {
  const whole = Number(seconds);
  if (!isTime(whole, nanos))
    throw new RangeError(`${seconds} s and ${nanos} ns are no time of the years 1 to 9999.`);
  return `"${timeText(whole, nanos)}"`;
}
