import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HaicError } from '../errors.ts';
import { formatFilter } from './format.ts';
import { matches, type Row } from './matches.ts';
import { limits } from './model.ts';
import { parseFilter } from './parse.ts';
import { anyFilter, anyText, fields } from './testing.ts';

const parse = (text: string) => parseFilter(text, fields);
const compare = (field: string, operator: string, value: unknown) => ({
  ...{ kind: 'compare', field, operator, value },
});
const name = (value: string) => compare('display_name', '=', value);
const refusal = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof HaicError && error.code === 'invalid_filter' && error.status === 400);
    return error.message;
  }
  assert.fail(`${text} was taken`);
};

describe('a filter', () => {
  it('reads what clients write', () => {
    assert.equal(parse(''), undefined);
    assert.equal(parse('  '), undefined);
    assert.deepEqual(
      parse(
        "display_name = 'x' AND create_time >= timestamp('2026-01-02T03:04:05.000000Z') AND (state = READY OR experiment_ids:'E')",
      ),
      {
        kind: 'and',
        terms: [
          name('x'),
          compare('create_time', '>=', '2026-01-02T03:04:05.000000Z'),
          {
            kind: 'or',
            terms: [compare('state', '=', 'READY'), compare('experiment_ids', ':', 'E')],
          },
        ],
      },
    );
    assert.deepEqual(parse("state in ['READY', 'FAILED']"), {
      ...{ kind: 'in', field: 'state', values: ['READY', 'FAILED'] },
    });
    assert.deepEqual(parse('active = true'), compare('active', '=', true));
    assert.deepEqual(parse('active != False'), compare('active', '!=', false));
    assert.deepEqual(parse('size<=9223372036854775807'), compare('size', '<=', 2n ** 63n - 1n));
    assert.deepEqual(parse('score > -1.5e3'), compare('score', '>', -1500));
    assert.deepEqual(parse("state = 'READY'"), compare('state', '=', 'READY'));
  });

  it('binds AND tighter than OR, and NOT tighter than both', () => {
    const [a, b, c] = [name('a'), name('b'), name('c')];
    const [x, y, z] = ['a', 'b', 'c'].map((each) => `display_name = '${each}'`);
    assert.deepEqual(parse(`${x} OR ${y} AND ${z}`), {
      ...{ kind: 'or', terms: [a, { kind: 'and', terms: [b, c] }] },
    });
    assert.deepEqual(parse(`not ${x} and ${y}`), {
      ...{ kind: 'and', terms: [{ kind: 'not', term: a }, b] },
    });
    assert.deepEqual(parse(`NOT (${x} or ${y})`), {
      ...{ kind: 'not', term: { kind: 'or', terms: [a, b] } },
    });
  });

  it('takes a quote within a text for a part of it', () => {
    for (const text of [
      "o'brien",
      "'",
      "''",
      "rock 'n' roll",
      "'quoted'",
      "it's and that's it",
      "the 'best' app in town",
      "f(')",
      'back\\slash \\n',
      'say "hello"',
      "tom's)",
      "' AND '",
    ])
      for (const [before, after] of [
        ['', ''],
        ['(', ')'],
        ['NOT (active = true OR ', ') AND size > 1'],
        ['active = true AND ', " OR display_name = 'z'"],
      ] as const) {
        // Inside parentheses, `tom's)` could be the end of a text and of what is around it.
        if (before.includes('(') && text.includes(')')) continue;
        const filter = JSON.stringify(
          parse(`${before}display_name = '${text}'${after}`),
          (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
        );
        assert.ok(
          filter.includes(JSON.stringify(name(text)).slice(1, -1)),
          `${before}${text}${after}: ${filter}`,
        );
      }
  });

  it("reads Python's lists, with its escapes", () => {
    const values = (text: string) => (parse(`display_name in ${text}`) as { values: unknown }).values;
    assert.deepEqual(values('[]'), []);
    assert.deepEqual(values(`['a', "o'brien", 'c',]`), ['a', "o'brien", 'c']);
    assert.deepEqual(values(String.raw`['it\'s "x"', 'a\\b', 'tab\there', '\xe9\u20ac\U0001f600', '\q']`), [
      ...['it\'s "x"', 'a\\b', 'tab\there', 'é€😀', '\\q'],
    ]);
    assert.deepEqual(values("['o'brien', 'b']"), ["o'brien", 'b']);
    assert.deepEqual(values("['a, b', 'c] d']"), ['a, b', 'c] d']);
  });

  it('reads times with any offset, or with none as UTC', () => {
    const time = (text: string) => (parse(`create_time = ${text}`) as { value: unknown }).value;
    assert.equal(time("timestamp('2026-01-02T03:04:05+01:30')"), '2026-01-02T01:34:05.000000Z');
    assert.equal(time("'2026-01-02 03:04:05.1234567'"), '2026-01-02T03:04:05.123456Z');
    assert.equal(time('timestamp("2026-01-02")'), '2026-01-02T00:00:00.000000Z');
    for (const wrong of ['2026-02-30T00:00:00Z', '0000-01-01', '0001-01-01T00:00:00+01:00', 'now', '2026'])
      assert.match(refusal(`create_time = timestamp('${wrong}')`), /create_time is compared with a time/);
  });

  it('says what is wrong, and where', () => {
    const cases: readonly [filter: string, message: RegExp][] = [
      ['nme = 1', /at character 1: there is no field "nme".*There is display_name, /],
      ['__proto__ = 1', /no field "__proto__"/],
      ['display_name', /at character 13: expected an operator for display_name, not its end/],
      ['display_name = x', /at character 16: display_name is compared with a text in quotes/],
      ["display_name = 'x", /at character 16: this quote is not closed/],
      ["display_name = 'x' size = 1", /at character 20: expected AND or OR, not "size = 1"/],
      ["(display_name = 'x'", /expected AND, OR or a closing parenthesis, not its end/],
      ["display_name = 'x')", /at character 19: expected AND or OR, not "\)"/],
      ['display_name = AND', /display_name is compared with a text/],
      ['active > true', /at character 8: active has no operator ">". It has = != in/],
      ['experiment_ids = "x"', /experiment_ids has no operator "="/],
      ['state = GONE', /state is compared with one of READY, FAILED, not "GONE"/],
      ['size = 1.5', /size is compared with a whole number/],
      ['size = 9223372036854775808', /size is compared with a whole number of 64 bits/],
      ['size in 1', /at character 9: expected a list such as/],
      ['size in [1 2]', /at character 12: expected a comma or the end of the list/],
      ['NOT', /at character 4: expected the name of a field, not its end/],
      ['active = true OR', /at character 17: expected the name of a field/],
      ['display_name = "a\0b"', /without NUL/],
      ['display_name = "\ud800"', /half characters/],
      [`active = true${' '.repeat(limits.characters)}`, /longer than 10000 characters/],
      [`${'('.repeat(100)}active = true${')'.repeat(100)}`, /nested deeper than 32/],
      [`${'NOT '.repeat(100)}active = true`, /nested deeper than 32/],
      [`size in [${'1,'.repeat(2000)}]`, /more than 1000 values/],
    ];
    for (const [filter, message] of cases) assert.match(refusal(filter), message);
  });

  it('keeps what it says, and what is not set is false to a comparison', () => {
    const row: Row = { display_name: 'Ähre', size: 3, delete_time: null, experiment_ids: ['a', 'b'] };
    const keeps = (text: string) => matches(parse(text), fields, row);
    assert.ok(keeps("display_name:'ähr' AND size > 2 AND experiment_ids:'b'"));
    assert.ok(!keeps("experiment_ids:'B'"));
    for (const operator of ['=', '<', '>=']) assert.ok(!keeps(`delete_time ${operator} '2026-01-01'`));
    assert.ok(keeps("delete_time != '2026-01-01' AND NOT delete_time < '2026-01-01'"));
    assert.ok(keeps('') && !keeps('size in []') && keeps('size in [1, 3]'));
  });
});

describe('any text whatever', () => {
  const runs = { numRuns: Number(process.env.HAIC_FUZZ_RUNS ?? 1000) };
  const words = fc.constantFrom(
    ...["'", '"', '\\', '(', ')', '[', ']', ',', ' ', '=', '!=', '<', ':', 'AND ', ' OR ', 'NOT ', ' in '],
    ...['display_name', 'size', 'create_time', 'state', "'x'", 'true', '12', 'timestamp(', 'READY', "o'b"],
  );

  it('is a filter or refused as one, and what was read writes and reads back as the same', () => {
    const sources = fc.oneof(
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    fc.assert(
      fc.property(sources, (source) => {
        try {
          const filter = parse(source);
          if (filter !== undefined) assert.deepEqual(parse(formatFilter(filter, fields)), filter);
        } catch (error) {
          assert.ok(error instanceof HaicError && error.code === 'invalid_filter', String(error));
        }
      }),
      runs,
    );
  });

  it('written from what it means reads back as that', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        assert.deepEqual(parse(formatFilter(filter, fields)), filter);
      }),
      runs,
    );
  });

  it('is a single text in single quotes, unless it reads as more of a filter', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!/'\s*\)*\s*(?:and|or)?[\s(]*(?:not[\s(]*)*[a-z_][\w.]*\s*(?:[=!<>:]|in)/i.test(text));
        assert.deepEqual(parse(`display_name = '${text}'`), name(text));
      }),
      runs,
    );
  });

  it('is read to its end, however it is made to look like the middle of a text', { timeout: 30_000 }, () => {
    const fillers = ["'", "' ", "' and ", "' and not ", "')", "' or (", '"\\', "['", ' ', '(', 'not '];
    for (const filler of fillers)
      for (const start of ['', 'display_name = ', "display_name = '", "display_name in ['"]) {
        const source = (start + filler.repeat(limits.characters)).slice(0, limits.characters);
        try {
          parse(source);
        } catch (error) {
          assert.ok(error instanceof HaicError && error.code === 'invalid_filter', start + filler);
        }
      }
  });
});
