import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from './errors.ts';
import type { JsonRules } from './service.ts';

/** Texts of an address as the JSON of the field that they are for. */
export function fromText(field: DescField, text: string): JsonValue {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarFromText(field.scalar, text, field.jsonName);
    case 'enum':
      return enumFromText(field.enum, text, field.jsonName);
    case 'message':
      return messageFromText(field.message, text, field.jsonName);
    case 'list':
      if (field.listKind === 'scalar') return scalarFromText(field.scalar, text, field.jsonName);
      if (field.listKind === 'enum') return enumFromText(field.enum, text, field.jsonName);
      return messageFromText(field.message, text, field.jsonName);
    case 'map':
      throw unaddressable(field.jsonName);
  }
}

/** Also as Python writes them. */
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'True', 'TRUE', '1'].map((text) => [text, true] as const),
  ...['false', 'False', 'FALSE', '0'].map((text) => [text, false] as const),
]);

function scalarFromText(scalar: ScalarType, text: string, name: string): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return text;
    case ScalarType.BOOL: {
      const value = booleans.get(text);
      if (value === undefined) throw wrong(name, text, 'true or false');
      return value;
    }
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      if (!/^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|-?Infinity)$/.test(text))
        throw wrong(name, text, 'a number');
      return /^[\d.+-]/.test(text) && !text.endsWith('y') ? Number(text) : text;
    default:
      // Of any range: protobuf-es checks it.
      if (!/^-?\d{1,20}$/.test(text)) throw wrong(name, text, 'a whole number');
      return text;
  }
}

function enumFromText(desc: DescEnum, text: string, name: string): JsonValue {
  const known = desc.values.find((value) => value.name === text || String(value.number) === text);
  if (known === undefined)
    throw wrong(name, text, `one of ${desc.values.map((value) => value.name).join(', ')}`);
  return known.number;
}

function messageFromText(desc: DescMessage, text: string, name: string): JsonValue {
  if (isWrapperDesc(desc)) return scalarFromText(desc.fields[0].scalar, text, name);
  // Read like what a body has.
  if (desc.typeName === 'google.protobuf.Timestamp' || desc.typeName === 'google.protobuf.Duration')
    return text;
  throw unaddressable(name);
}

export const wrongTime = (name: string, text: string, { naiveTimestamps }: JsonRules) =>
  wrong(
    name,
    text,
    naiveTimestamps === 'refused'
      ? 'a time with an offset, such as 2026-01-31T12:00:00Z'
      : 'a time such as 2026-01-31T12:00:00Z',
  );

/** `display_name,extraScopes`, in either case, as the paths of a mask. `*` and what else a service understands stay as they are. */
export const maskPaths = (text: string): string[] =>
  text
    .split(',')
    .map((path) => path.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
    .filter((path) => path !== '');

const wrong = (name: string, text: string, expected: string) =>
  invalidArgument(`${name}: "${shortened(text)}" is not ${expected}.`);

const unaddressable = (name: string) =>
  invalidArgument(`${name} cannot be given in the address. Send it in the body.`);

export const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
