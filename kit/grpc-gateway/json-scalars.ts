import { type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { base64Decode } from '@bufbuild/protobuf/wire';
import { invalidArgument } from './errors.ts';
import { isLong } from './json-body.ts';

/** Scalars of protobuf in JSON, read as protobuf-es reads them; the properties in json.test.ts hold them to it. */

export type ReadValue = (json: JsonValue) => unknown;

/** Throws what names the field and says what it expects. */
export function scalarReader(scalar: ScalarType, name: string): ReadValue {
  const { read, expected } = readers[scalar];
  return (json) => {
    const value = read(json);
    if (value === undefined) throw wrong(name, expected);
    return value;
  };
}

/** The key of a map in the one form that it is kept in. */
export function keyReader(scalar: ScalarType, name: string): (text: string) => string {
  const read = scalarReader(scalar, `the key of ${name}`);
  return scalar === ScalarType.BOOL
    ? (text) => String(read(booleans.get(text) ?? text))
    : (text) => String(read(text));
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/** What was sent is not repeated: it may be a secret. */
const wrong = (name: string, expected: string) => invalidArgument(`${name} is not ${expected}.`);

interface Reader {
  /** Undefined for what is none. */
  readonly read: ReadValue;
  readonly expected: string;
}

const int32: Reader = { read: integerWithin(-(2 ** 31), 2 ** 31 - 1), expected: 'a whole number of 32 bits' };
const uint32: Reader = {
  read: integerWithin(0, 2 ** 32 - 1),
  expected: 'a positive whole number of 32 bits',
};
const int64: Reader = {
  read: bigWithin(-(2n ** 63n), 2n ** 63n - 1n),
  expected: 'a whole number of 64 bits',
};
const uint64: Reader = {
  read: bigWithin(0n, 2n ** 64n - 1n),
  expected: 'a positive whole number of 64 bits',
};
const readDouble = (json: JsonValue) =>
  typeof json === 'string' && specials.has(json) ? specials.get(json) : finite(json);

const readers: Readonly<Record<ScalarType, Reader>> = {
  [ScalarType.STRING]: {
    read: (json) => (typeof json === 'string' && json.isWellFormed() ? json : undefined),
    expected: 'a text',
  },
  [ScalarType.BOOL]: {
    read: (json) => (typeof json === 'boolean' ? json : undefined),
    expected: 'true or false',
  },
  [ScalarType.BYTES]: { read: bytesFrom, expected: 'a text in base64' },
  [ScalarType.DOUBLE]: { read: readDouble, expected: 'a number' },
  [ScalarType.FLOAT]: {
    read: (json) => {
      const value = readDouble(json);
      const isTooLarge = Number.isFinite(value) && !Number.isFinite(Math.fround(Number(value)));
      return isTooLarge ? undefined : value;
    },
    expected: 'a number of 32 bits',
  },
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

/** Numbers may be texts, in any form that JavaScript has for them. */
function finite(json: JsonValue): number | undefined {
  if (typeof json === 'number') return Number.isFinite(json) ? json : undefined;
  const text = isLong(json) ? json.source : json;
  if (typeof text !== 'string' || text === '' || text.trim().length !== text.length) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

const specials: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function integerWithin(least: number, most: number): ReadValue {
  return (json) => {
    const number = finite(json);
    return number !== undefined && Number.isInteger(number) && number >= least && number <= most
      ? number
      : undefined;
  };
}

function bigWithin(least: bigint, most: bigint): ReadValue {
  return (json) => {
    const sent = isLong(json) ? json.source : json;
    if (typeof sent !== 'number' && (typeof sent !== 'string' || sent === '')) return undefined;
    try {
      const value = BigInt(sent);
      return value >= least && value <= most ? value : undefined;
    } catch {
      return undefined;
    }
  };
}

function bytesFrom(json: JsonValue): Uint8Array | undefined {
  if (typeof json !== 'string') return undefined;
  try {
    return base64Decode(json);
  } catch {
    return undefined;
  }
}
