import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import {
  create,
  equals,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  toJson,
  toJsonString,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import fc from 'fast-check';
import { parseJson } from './json-body.ts';
import { readInto } from './json-in.ts';
import { writeJson } from './json-out.ts';
import { type JsonRules, usualRules } from './service.ts';
import { BookSchema, Genre, ListBooksResponseSchema } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';

/** Of each property; ten thousand in the full size of the tests. */
const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 200;

function read(json: JsonValue | string, rules: Partial<JsonRules> = {}) {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const book = create(BookSchema);
  readInto(BookSchema, book, parseJson(Buffer.from(text)), { ...usualRules, ...rules });
  return book;
}

const write = (book: MessageInitShape<typeof BookSchema>, rules: Partial<JsonRules> = {}) =>
  JSON.parse(writeJson(BookSchema, book, { ...usualRules, ...rules })) as Record<string, JsonValue>;

const refused = (error: unknown) => error instanceof ConnectError && error.code === Code.InvalidArgument;

function outcome<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** JavaScript's JSON has no −0. */
const withoutSign = (number: number) => number + 0;

const timestamp = fc.record({
  seconds: fc.bigInt(-62_135_596_800n, 253_402_300_799n),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});
const key = fc.string({ maxLength: 8 });
const publisher = fc.record(
  { displayName: fc.string(), city: fc.string(), foundingTime: timestamp },
  { requiredKeys: [] },
);
const genre = fc.constantFrom(Genre.UNSPECIFIED, Genre.NOVEL, Genre.POEM);
const bookOf = {
  name: fc.string({ unit: 'grapheme' }),
  genre,
  pageCount: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  copiesSold: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  isbn: fc.bigInt(0n, 2n ** 64n - 1n),
  lent: fc.boolean(),
  weight: fc.double({ noNaN: true }).map(withoutSign),
  rating: fc.float({ noNaN: true }).map(withoutSign),
  cover: fc.uint8Array(),
  authors: fc.array(fc.string()),
  annotations: fc.dictionary(key, fc.string()),
  createTime: timestamp,
  readingTime: fc.bigInt(-315_576_000_000n, 315_576_000_000n).map((seconds) => ({ seconds, nanos: 0 })),
  publisher,
  otherGenres: fc.array(genre),
  subtitle: fc.string(),
  keeper: fc.oneof(
    fc.constant({ case: 'reader' as const, value: {} }),
    fc.string().map((value) => ({ case: 'shelf' as const, value })),
  ),
  extra: fc.dictionary(key, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.parse(JSON.stringify(value))),
  reprints: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  formerPublishers: fc.array(publisher, { maxLength: 3 }),
  publisherByYear: fc.dictionary(fc.integer({ min: 0, max: 3000 }).map(String), publisher, { maxKeys: 3 }),
  checked: fc
    .constantFrom('title', 'page_count', 'publisher.display_name')
    .map((path) => ({ paths: [path] })),
};
const flatBook = fc.record(bookOf, { requiredKeys: [] });
const book = fc
  .tuple(flatBook, fc.option(flatBook, { nil: undefined }))
  .map(([outer, sequel]) =>
    create(BookSchema, sequel === undefined ? outer : { ...outer, sequel: create(BookSchema, sequel) }),
  );

describe('JSON of protobuf messages', () => {
  it('is what protobuf-es writes, with every zero value', () => {
    fc.assert(
      fc.property(book, (message) => {
        assert.deepEqual(
          JSON.parse(writeJson(BookSchema, message, usualRules)),
          JSON.parse(toJsonString(BookSchema, message, { alwaysEmitImplicit: true })),
        );
      }),
      { numRuns },
    );
  });

  it('is the same of what a message can be made of', () => {
    fc.assert(
      fc.property(flatBook, (init) => {
        for (const unsetTimestamps of ['null', 'omitted'] as const) {
          const rules = { ...usualRules, unsetTimestamps };
          assert.equal(
            writeJson(BookSchema, init, rules),
            writeJson(BookSchema, create(BookSchema, init), rules),
          );
        }
      }),
      { numRuns },
    );
  });

  it('is read as protobuf-es reads it, whoever wrote it', () => {
    fc.assert(
      fc.property(book, (message) => {
        const json = toJson(BookSchema, message);
        assert.ok(equals(BookSchema, read(json), fromJson(BookSchema, json)));
      }),
      { numRuns },
    );
  });

  it('survives the way there and back', () => {
    fc.assert(
      fc.property(book, (message) => {
        assert.ok(equals(BookSchema, read(write(message)), message));
      }),
      { numRuns },
    );
  });

  const edges: readonly JsonValue[] = [
    ...[
      '',
      ' 1',
      '1e3',
      '0x10',
      '1.5',
      'NaN',
      '-Infinity',
      'true',
      'AA=',
      '-_8',
      '%',
      '\ud800',
      '9'.repeat(400),
    ],
    ...[
      '18446744073709551615',
      '-9223372036854775808',
      '9223372036854775808',
      '-1',
      'GENRE_POEM',
      '300s',
      'title',
    ],
    ...[
      '2026-01-01',
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00.5+01:30',
      '0001-01-01T00:00:00+01:00',
      '1e400',
    ],
    ...[
      0,
      -0,
      1,
      1.5,
      -1,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e20,
      3.5e38,
      true,
      false,
      null,
      [],
      {},
      [1],
      [null],
      ['a'],
    ],
  ];
  const names = [
    ...BookSchema.fields.flatMap((field) => [field.jsonName, field.name]),
    'displayName',
    '__proto__',
  ];
  const { json: anyJson } = fc.letrec<{ json: JsonValue }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...edges),
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constantFrom('1', '01', 'x')), tie('json'), {
        noNullPrototype: true,
        maxKeys: 5,
      }),
    ),
  }));
  const anyBook = fc.dictionary(fc.constantFrom(...names), anyJson, { noNullPrototype: true, maxKeys: 4 });

  it('whatever it is, is read or refused as protobuf-es does, but for names that an enum does not know', () => {
    fc.assert(
      fc.property(anyBook, (sent) => {
        const text = JSON.stringify(sent);
        const [mine, theirs] = [
          outcome(() => read(text)),
          outcome(() => fromJson(BookSchema, JSON.parse(text), { ignoreUnknownFields: true })),
        ];
        if (mine instanceof Error) {
          assert.ok(refused(mine), String(mine));
          assert.ok(theirs instanceof Error || /is none of/.test(mine.message), `${mine.message}: ${text}`);
        } else if (theirs instanceof Error)
          // To us a message that is null is unset there, too; what else is wrong both refuse.
          assert.match(theirs.message, /oneof set multiple times/, text);
        else assert.deepEqual(mine, theirs);
      }),
      { numRuns: numRuns * 10 },
    );
  });

  it('that is no JSON is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        try {
          readInto(BookSchema, create(BookSchema), parseJson(Buffer.from(bytes)), usualRules);
        } catch (error) {
          assert.ok(refused(error), String(error));
        }
      }),
      { numRuns },
    );
  });
});

describe('JSON that comes in', () => {
  it('may say null for unset, everywhere', () => {
    const nothing = Object.fromEntries(BookSchema.fields.map((field) => [field.jsonName, null]));
    assert.ok(equals(BookSchema, read({ ...nothing, extra: null }), create(BookSchema)));
    const once = read({ title: 'T', subtitle: null, publisher: { city: null, foundingTime: null } });
    assert.equal(once.subtitle, undefined);
    assert.equal(once.publisher?.city, '');
  });

  it('may have 64-bit integers as texts or numbers, exactly', () => {
    assert.equal(read('{"copiesSold":"9007199254740993"}').copiesSold, 9007199254740993n);
    assert.equal(read('{"copiesSold":9007199254740993}').copiesSold, 9007199254740993n);
    assert.equal(read('{"isbn":18446744073709551615}').isbn, 2n ** 64n - 1n);
    assert.equal(read('{"copies_sold":-3}').copiesSold, -3n);
    assert.throws(() => read('{"copiesSold":9223372036854775808}'), refused);
    assert.throws(() => read('{"copiesSold":1.5}'), refused);
  });

  it('may have a number longer than a double is exact, where a double is wanted', () => {
    assert.equal(read('{"weight":12345678901234567890}').weight, Number('12345678901234567890'));
    const { extra } = read('{"extra":{"a":[12345678901234567890]}}');
    assert.deepEqual(extra, { a: [Number('12345678901234567890')] });
  });

  const times: readonly (readonly [string, string])[] = [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.000005', '2026-01-01T00:00:00.000005Z'],
    ['2026-01-01 00:00:00+00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01t00:00:00z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456789012Z', '2026-01-01T00:00:00.123456789Z'],
  ];
  for (const [sent, expected] of times)
    it(`may have the time ${sent}`, () =>
      assert.equal(write(read({ createTime: sent })).createTime, expected));

  for (const sent of ['2026-01-01', 'now', '2026-13-01T00:00:00Z', '10000-01-01T00:00:00Z', 5, {}])
    it(`is refused with the time ${JSON.stringify(sent)}`, () =>
      assert.throws(() => read({ createTime: sent }), refused));

  it('is refused with a time without an offset where a contract says so', () => {
    assert.throws(() => read({ createTime: '2026-01-01T00:00:00' }, { naiveTimestamps: 'refused' }), refused);
    const deep = { sequel: { publisher: { foundingTime: '2026-01-01T00:00:00' } } };
    assert.ok(read(deep).sequel?.publisher?.foundingTime);
    assert.throws(() => read(deep, { naiveTimestamps: 'refused' }), refused);
    const map = { publisherByYear: { 1999: { foundingTime: '2026-01-01T00:00:00' } } };
    assert.ok(read(map).publisherByYear[1999]?.foundingTime);
  });

  it('may have bytes in either alphabet of base64, padded or not', () => {
    for (const sent of ['-_8=', '+/8=', '-_8', '+/8'])
      assert.deepEqual([...read({ cover: sent }).cover], [0xfb, 0xff], sent);
    assert.throws(() => read({ cover: '%' }), refused);
  });

  it('may have enums by name or number, and no name that is unknown, even where unknown fields are ignored', () => {
    assert.equal(read({ genre: 'GENRE_POEM' }).genre, Genre.POEM);
    assert.equal(read({ genre: 2 }).genre, Genre.POEM);
    assert.deepEqual(read({ otherGenres: ['GENRE_POEM', 1] }).otherGenres, [Genre.POEM, Genre.NOVEL]);
    for (const wrong of [{ genre: 'POEM' }, { otherGenres: ['GENRE_POEM', 'x'] }, { sequel: { genre: '' } }])
      assert.throws(() => read(wrong), refused);
  });

  it('may have masks in either case', () => {
    assert.deepEqual(read({ checked: 'pageCount,title' }).checked?.paths, ['page_count', 'title']);
    assert.deepEqual(read({ checked: 'page_count,title' }).checked?.paths, ['page_count', 'title']);
  });

  it('may have fields that nobody knows, unless a contract says otherwise', () => {
    assert.equal(read({ title: 'T', uid: 'x', publisher: { more: {} } }).title, 'T');
    assert.throws(() => read({ uid: 'x' }, { unknownFields: 'refused' }), refused);
  });

  it('is not repeated when it is refused: it may be a secret', () => {
    const secrets = [
      { cover: 'hunter2!' },
      { title: 17_421_742 },
      { lent: 'hunter2' },
      { authors: 'hunter2' },
    ];
    for (const wrong of [...secrets, { publisher: 'hunter2' }, { annotations: { a: 17_421_742 } }])
      assert.throws(
        () => read(wrong),
        (error) => error instanceof ConnectError && !/hunter2|17421742/.test(error.message),
      );
  });

  it('is refused when it contradicts itself or its types', () => {
    for (const wrong of [
      { shelf: 'a', reader: {} },
      { pageCount: 2 ** 31 },
      { pageCount: 1.5 },
      { lent: 'true' },
      { title: 7 },
      { authors: 'x' },
      { authors: [null] },
      { annotations: { a: 1 } },
      { publisher: [] },
      { page_count: 1, pageCount: 2 },
    ])
      assert.throws(() => read(wrong), refused, JSON.stringify(wrong));
  });
});

describe('JSON that goes out', () => {
  it('has every field without presence, whatever its value, and no message that is unset', () => {
    assert.deepEqual(write({}), {
      ...{ name: '', title: '', genre: 'GENRE_UNSPECIFIED', pageCount: 0, copiesSold: '0', isbn: '0' },
      ...{ lent: false, weight: 0, rating: 0, cover: '', authors: [], annotations: {} },
      ...{ otherGenres: [], formerPublishers: [], publisherByYear: {} },
    });
  });

  it('has 64-bit integers as texts, 32-bit ones as numbers, bytes as padded base64, durations with an s', () => {
    const { copiesSold, pageCount, cover, readingTime, reprints } = write({
      ...{ copiesSold: 3n, pageCount: 3, cover: Uint8Array.of(0xfb, 0xff), reprints: 4n },
      readingTime: { seconds: 300n, nanos: 0 },
    });
    assert.deepEqual([copiesSold, pageCount, cover, readingTime, reprints], ['3', 3, '+/8=', '300s', '4']);
  });

  it('has an empty message as {}', () => {
    assert.deepEqual(write({ keeper: { case: 'reader', value: {} } }).reader, {});
  });

  it('has null for times that are unset where a contract says so, at every depth', () => {
    const rules = { unsetTimestamps: 'null' } as const;
    const out = write(
      { publisher: {}, formerPublishers: [{}], publisherByYear: { 1: {} }, createTime: { seconds: 0n } },
      rules,
    );
    const expected = { displayName: '', city: '', foundingTime: null };
    assert.equal(out.createTime, '1970-01-01T00:00:00Z');
    assert.equal(out.deleteTime, null);
    assert.deepEqual(
      [out.publisher, out.formerPublishers, out.publisherByYear],
      [expected, [expected], { 1: expected }],
    );
    assert.equal('readingTime' in out, false);
  });

  it('has the token of the last page, or not, as its contract wants', () => {
    const list = create(ListBooksResponseSchema, {});
    const out = (emptyPageToken: 'given' | 'omitted', message = list) =>
      JSON.parse(writeJson(ListBooksResponseSchema, message, { ...usualRules, emptyPageToken }));
    assert.deepEqual(out('given'), { books: [], nextPageToken: '', totalSize: 0 });
    assert.deepEqual(out('omitted'), { books: [], totalSize: 0 });
    const more = create(ListBooksResponseSchema, { nextPageToken: 't' });
    assert.deepEqual(out('omitted', more), { books: [], nextPageToken: 't', totalSize: 0 });
  });
});
