import fc from 'fast-check';
import type { Row } from './matches.ts';
import { comparisons, type Filter, type FilterFields, type FilterValue, operatorsOf } from './model.ts';
import { isStorable } from './values.ts';

/** Fields of every type, and filters and rows of them at random. */
export const fields = {
  display_name: { type: 'text' },
  note: { type: 'text', nullable: true },
  size: { type: 'integer' },
  score: { type: 'number', nullable: true },
  active: { type: 'boolean' },
  create_time: { type: 'timestamp' },
  delete_time: { type: 'timestamp', nullable: true },
  state: { type: 'enum', values: ['READY', 'FAILED'] },
  experiment_ids: { type: 'texts' },
} as const satisfies FilterFields;

type Name = keyof typeof fields;

const plain = { noNullPrototype: true } as const;

const alphabet = ['a', 'A', 'b', 'ß', 'Ä', 'ä', 'é', 'Σ', 'İ', '\uffff', '😀', ' ', "'", '"', '\\', '%', '_'];
const fewLetters = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 4 });

export const anyText = fc
  .oneof(
    { weight: 3, arbitrary: fewLetters },
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      "o'brien",
      "'; drop table items; --",
      "' or '1'='1",
      '$1',
      '\\',
      'null',
      "x' AND size = 1",
    ),
  )
  .filter(isStorable);

const anyInteger = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const anyNumber = fc
  .oneof(fc.constantFrom(0, 1, 1.5, -2), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0);
const anyTime = fc
  .oneof(
    fc.tuple(fc.constantFrom(0, 1_000), fc.constantFrom(0, 1, 999)),
    fc.tuple(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), fc.nat({ max: 999 })),
  )
  .map(([ms, micros]) => new Date(ms).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`));

const valuesOf = {
  text: anyText,
  texts: anyText,
  integer: anyInteger,
  number: anyNumber,
  boolean: fc.boolean(),
  timestamp: anyTime,
  enum: fc.constantFrom('READY', 'FAILED'),
} satisfies Record<string, fc.Arbitrary<FilterValue>>;

const anyName = fc.constantFrom(...(Object.keys(fields) as Name[]));

const anyComparison: fc.Arbitrary<Filter> = anyName.chain((field) =>
  fc.oneof(
    fc.record(
      {
        kind: fc.constant('compare' as const),
        field: fc.constant(field),
        operator: fc.constantFrom(
          ...comparisons.filter((operator) => operatorsOf(fields[field]).includes(operator)),
        ),
        value: valuesOf[fields[field].type] as fc.Arbitrary<FilterValue>,
      },
      plain,
    ),
    ...(operatorsOf(fields[field]).includes('in')
      ? [
          fc.record(
            {
              kind: fc.constant('in' as const),
              field: fc.constant(field),
              values: fc.array(valuesOf[fields[field].type] as fc.Arbitrary<FilterValue>, { maxLength: 4 }),
            },
            plain,
          ),
        ]
      : []),
  ),
);

export const anyFilter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => {
  const terms = fc.array(tie('filter'), { minLength: 2, maxLength: 3 });
  return {
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 3, arbitrary: anyComparison },
      fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), terms }, plain),
      fc.record({ kind: fc.constant('not' as const), term: tie('filter') }, plain),
    ),
  };
}).filter;

export interface Item extends Row {
  readonly id: string;
  readonly display_name: string;
  readonly note: string | null;
  readonly size: bigint;
  readonly score: number | null;
  readonly active: boolean;
  readonly create_time: string;
  readonly delete_time: string | null;
  readonly state: string;
  readonly experiment_ids: readonly string[];
}

export const anyItem: fc.Arbitrary<Item> = fc.record(
  {
    id: fc.uuid(),
    display_name: anyText,
    note: fc.option(anyText),
    size: anyInteger,
    score: fc.option(anyNumber),
    active: fc.boolean(),
    create_time: anyTime,
    delete_time: fc.option(anyTime),
    state: valuesOf.enum,
    experiment_ids: fc.array(anyText, { maxLength: 3 }),
  },
  plain,
);
