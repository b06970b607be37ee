import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HaicError } from '../errors.ts';
import {
  type Clause,
  type ConstraintRequest,
  type ConstraintValue,
  type PropertyConstraint,
  readConstraintQuery,
} from './constraints.ts';
import { listInMemory } from './in-memory.ts';
import type { ListSpec } from './list.ts';
import { limits } from './model.ts';
import { parseFilter } from './parse.ts';

const spec = {
  fields: {
    id: { type: 'text' },
    model_id: { type: 'text' },
    display_name: { type: 'text' },
    version_number: { type: 'integer' },
    score: { type: 'number' },
    active: { type: 'boolean' },
    created_time: { type: 'timestamp' },
    status: { type: 'enum', values: ['RUNNING', 'FINISHED'] },
    tag: { type: 'texts' },
  },
  unique: 'id',
} as const satisfies ListSpec;

const text = (value: string): ConstraintValue => ({ case: 'stringValue', value });
const whole = (value: bigint): ConstraintValue => ({ case: 'int64Value', value });
const compare = (field: string, operator: string, ...values: ConstraintValue[]): PropertyConstraint => ({
  ...{ field, operator, values },
});
const clause = (properties: readonly PropertyConstraint[], tags: readonly string[] = []): Clause => ({
  ...{ properties, tags: tags.map((tagId) => ({ tagId, inclusion: 'INCLUDE' })) },
});
const read = (request: ConstraintRequest, ...scope: string[]) => readConstraintQuery(spec, request, ...scope);

describe('a filter of constraints', () => {
  const time = { seconds: 1_767_323_045n, nanos: 6_000 };
  const rows: readonly (readonly [words: string, ...PropertyConstraint[]])[] = [
    ["display_name = 'o'brien'", compare('display_name', 'EQUAL_TO', text("o'brien"))],
    ["display_name != 'x'", compare('display_name', 'NOT_EQUAL_TO', text('x'))],
    ["display_name:'x'", compare('display_name', 'ICONTAINS', text('x'))],
    ['version_number < 3', compare('version_number', 'LESS_THAN', whole(3n))],
    ['version_number <= 3', compare('version_number', 'LESS_OR_EQUAL_TO', whole(3n))],
    [
      'version_number > 9223372036854775807',
      compare('version_number', 'GREATER_THAN', whole(2n ** 63n - 1n)),
    ],
    ['version_number >= 3', compare('version_number', 'GREATER_OR_EQUAL_TO', whole(3n))],
    ['version_number in [1, 2]', compare('version_number', 'IN_LIST', whole(1n), whole(2n))],
    ['version_number in []', compare('version_number', 'IN_LIST')],
    ['score > -1.5', compare('score', 'GREATER_THAN', { case: 'doubleValue', value: -1.5 })],
    ['active = true', compare('active', 'EQUAL_TO', { case: 'boolValue', value: true })],
    ["id = 'a'", compare('id', 'EQUAL_TO', { case: 'idValue', value: 'a' })],
    ["model_id in ['a']", compare('model_id', 'IN_LIST', { case: 'idValue', value: 'a' })],
    ['status = FINISHED', compare('status', 'EQUAL_TO', text('FINISHED'))],
    [
      "created_time >= timestamp('2026-01-02T03:04:05.000006Z')",
      compare('created_time', 'GREATER_OR_EQUAL_TO', { case: 'timestampValue', value: time }),
    ],
    [
      "display_name = 'x' AND version_number = 1",
      compare('display_name', 'EQUAL_TO', text('x')),
      compare('version_number', 'EQUAL_TO', whole(1n)),
    ],
  ];
  for (const [words, ...properties] of rows)
    it(`says ${words}`, () => {
      assert.deepEqual(read({ clauses: [clause(properties)] }).filter, parseFilter(words, spec.fields));
    });

  it('keeps what has every tag', () => {
    const { filter } = read({
      clauses: [clause([compare('active', 'EQUAL_TO', { case: 'boolValue', value: true })], ['red', 'new'])],
    });
    assert.deepEqual(filter, parseFilter("active = true AND tag:'red' AND tag:'new'", spec.fields));
  });

  it('keeps everything where there is none', () => {
    for (const request of [{}, { clauses: [] }, { clauses: [clause([])] }])
      assert.equal(read(request).filter, undefined);
  });

  const refused: readonly (readonly [string, ConstraintRequest, RegExp])[] = [
    ['two clauses', { clauses: [clause([]), clause([])] }, /more than one clause/],
    [
      'an unknown field',
      { clauses: [clause([compare('__proto__', 'EQUAL_TO', text('x'))])] },
      /no field "__proto__"/,
    ],
    ['tags as a property', { clauses: [clause([compare('tag', 'EQUAL_TO', text('x'))])] }, /no field "tag"/],
    [
      'an unknown operator',
      { clauses: [clause([compare('id', 'CONTAINS', text('x'))])] },
      /no operator "CONTAINS"/,
    ],
    [
      'an operator of other types',
      { clauses: [clause([compare('status', 'LESS_THAN', text('RUNNING'))])] },
      /no operator "LESS_THAN"/,
    ],
    ['no value', { clauses: [clause([compare('id', 'EQUAL_TO')])] }, /compared with nothing/],
    [
      'an unset value',
      { clauses: [clause([compare('id', 'EQUAL_TO', { case: undefined })])] },
      /compared with nothing/,
    ],
    [
      'several values',
      { clauses: [clause([compare('id', 'EQUAL_TO', text('a'), text('b'))])] },
      /takes IN_LIST/,
    ],
    [
      'a value of another type',
      { clauses: [clause([compare('version_number', 'EQUAL_TO', text('1'))])] },
      /a whole number/,
    ],
    [
      'an unknown state',
      { clauses: [clause([compare('status', 'EQUAL_TO', text('GONE'))])] },
      /one of RUNNING, FINISHED/,
    ],
    [
      'JSON and durations',
      { clauses: [clause([compare('id', 'EQUAL_TO', { case: 'jsonValue', value: '{}' })])] },
      /compared with nothing/,
    ],
    [
      'no time',
      {
        clauses: [
          clause([
            compare('created_time', 'EQUAL_TO', {
              case: 'timestampValue',
              value: { seconds: 2n ** 60n, nanos: 0 },
            }),
          ]),
        ],
      },
      /compared with nothing/,
    ],
    [
      'tags left out',
      { clauses: [{ properties: [], tags: [{ tagId: 'x', inclusion: 'EXCLUDE' }] }] },
      /"EXCLUDE" is not INCLUDE/,
    ],
    [
      'more values than a server looks at',
      {
        clauses: [
          clause([compare('id', 'IN_LIST', ...Array.from({ length: limits.values + 1 }, () => text('x')))]),
        ],
      },
      /more than 1000 values/,
    ],
    [
      'an order by what is not there',
      { sorting: [{ field: 'nothing', order: 'ASCENDING' }] },
      /no field "nothing"/,
    ],
    [
      'no direction',
      { sorting: [{ field: 'id', order: 'ORDER_UNSPECIFIED' }] },
      /neither ASCENDING nor DESCENDING/,
    ],
  ];
  for (const [what, request, why] of refused)
    it(`is refused with ${what}`, () => {
      assert.throws(
        () => read(request),
        (error) => error instanceof HaicError && error.status === 400 && why.test(error.message),
      );
    });

  it('is a filter or refused as one, whatever it says', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }).map(text),
      fc.bigInt().map(whole),
      fc.double().map((each): ConstraintValue => ({ case: 'doubleValue', value: each })),
      fc.tuple(fc.bigInt(), fc.integer()).map(
        ([seconds, nanos]): ConstraintValue => ({
          ...{ case: 'timestampValue', value: { seconds, nanos } },
        }),
      ),
    );
    const names = fc.oneof(fc.constantFrom(...Object.keys(spec.fields)), fc.string());
    const operators = fc.oneof(
      fc.constantFrom('EQUAL_TO', 'ICONTAINS', 'LESS_THAN', 'IN_LIST', 'toString'),
      fc.string(),
    );
    const constraint = fc.record({
      field: names,
      operator: operators,
      values: fc.array(value, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(constraint, { maxLength: 3 }), (properties) => {
        try {
          read({ clauses: [clause(properties)] });
        } catch (error) {
          assert.ok(error instanceof HaicError && error.code === 'invalid_filter', String(error));
        }
      }),
    );
  });
});

describe('a list that is asked for by constraints', () => {
  const items = Array.from({ length: 120 }, (_, at) => ({
    ...{ id: `i${String(at).padStart(3, '0')}`, model_id: 'm', display_name: at % 2 === 0 ? 'even' : 'odd' },
    ...{ version_number: at, score: 0, active: true, created_time: new Date(at), status: 'RUNNING', tag: [] },
  }));
  const page = (request: ConstraintRequest, ...scope: string[]) =>
    listInMemory(read(request, ...scope), items, (item) => item);
  const even = [clause([compare('display_name', 'EQUAL_TO', text('even'))])];
  const descending = [
    { field: 'display_name', order: 'ASCENDING' },
    { field: 'version_number', order: 'DESCENDING' },
  ];

  it('comes in pages of a size that the server chooses, in the order that was asked for, with an empty token at the end', () => {
    const first = page({ clauses: even, sorting: descending });
    assert.equal(first.items.length, 50);
    assert.deepEqual(
      first.items.slice(0, 2).map(({ version_number: number }) => number),
      [118, 116],
    );
    const rest = page({ clauses: even, sorting: descending, pageToken: first.nextPageToken });
    assert.deepEqual([rest.items.length, rest.items.at(-1)?.version_number, rest.nextPageToken], [10, 0, '']);
  });

  it('takes a page token for the question and the project that it was given for, and for no other', () => {
    const { nextPageToken: pageToken } = page({ clauses: even }, 'project');
    assert.equal(page({ clauses: even, pageToken }, 'project').items.length, 10);
    for (const [request, scope] of [
      [{ pageToken }, 'project'],
      [{ clauses: even, sorting: descending, pageToken }, 'project'],
      [{ clauses: even, pageToken }, 'another'],
    ] as const)
      assert.throws(() => page(request, scope), { code: 'invalid_page_token' });
  });
});
