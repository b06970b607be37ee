import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { HaicError } from '../errors.ts';
import { BookSchema, Genre } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { changesBy } from './update-mask.ts';

const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 200;

const changeable = ['title', 'pageCount', 'authors', 'annotations', 'publisher', 'genre', 'lent'] as const;
const outputOnly = ['createTime', 'deleteTime', 'checked'] as const;

function changes(
  book: MessageInitShape<typeof BookSchema>,
  paths: readonly string[] | undefined,
  unmasked: 'what is given' | 'refused' = 'what is given',
) {
  const mask = paths === undefined ? undefined : create(FieldMaskSchema, { paths: [...paths] });
  return changesBy(BookSchema, create(BookSchema, book), mask, { changeable, outputOnly, unmasked });
}

const refusal = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof HaicError && error.status === 400 && error.code === code && words.test(error.message);

describe('the mask of an update', () => {
  it('names what changes, and nothing else does, whatever was sent', () => {
    const sent = { title: 'New', pageCount: 7, copiesSold: 9n, name: 'workspaces/other/books/b' };
    assert.deepEqual(changes(sent, ['title']), { title: 'New' });
    assert.deepEqual(changes(sent, ['title', 'page_count', 'title']), { title: 'New', pageCount: 7 });
  });

  it('clears what it names and what is not given', () => {
    assert.deepEqual(changes({ title: 'kept' }, ['authors', 'annotations', 'lent', 'publisher', 'genre']), {
      ...{ authors: [], annotations: {}, lent: false, publisher: undefined, genre: Genre.UNSPECIFIED },
    });
  });

  it('is written in snake or in camel case', () => {
    assert.deepEqual(changes({ pageCount: 3 }, ['page_count']), changes({ pageCount: 3 }, ['pageCount']));
  });

  it('of * names all that can be changed', () => {
    assert.deepEqual(Object.keys(changes({ title: 'x', name: 'n', copiesSold: 1n }, ['*'])), [...changeable]);
  });

  for (const [what, paths] of [
    ['is left out', undefined],
    ['is empty', []],
  ] as const) {
    it(`that ${what} names what is given`, () => {
      assert.deepEqual(changes({ title: 'x', pageCount: 0, lent: true, copiesSold: 5n }, paths), {
        ...{ title: 'x', lent: true },
      });
      assert.throws(() => changes({ copiesSold: 5n }, paths), refusal('nothing_to_change', /title, genre/));
    });
    it(`that ${what} is refused where the contract demands one`, () =>
      assert.throws(
        () => changes({ title: 'x' }, paths, 'refused'),
        refusal('invalid_update_mask', /is missing: \* or any of title/),
      ));
  }

  it('may name what the service writes, which changes nothing', () => {
    assert.deepEqual(changes({ title: 'x' }, ['create_time', 'title', 'deleteTime']), { title: 'x' });
    assert.throws(() => changes({ title: 'x' }, ['create_time']), refusal('nothing_to_change', /title/));
  });

  for (const [path, why] of [
    ['nothing', /"nothing" is no field\. What can be changed is title, genre/],
    ['', /"" is no field/],
    ['__proto__', /"__proto__" is no field/],
    ['toString', /"toString" is no field/],
    ['Title', /"Title" is no field/],
    ['book.title', /"book.title" is no field/],
    ['x'.repeat(5000), /"x{200}…" is no field/],
    ['name', /"name" never changes/],
    ['copiesSold', /"copiesSold" never changes/],
    ['sequel.title', /"sequel.title" never changes/],
    ['annotations.a', /"annotations.a" is a part of annotations, which changes whole/],
    ['publisher.city', /"publisher.city" is a part of publisher/],
    ['authors.0', /"authors.0" is a part of authors/],
    ['title.*', /"title.\*" is a part of title/],
  ] as const)
    it(`is refused with "${path.slice(0, 30)}", which it names, also beside *`, () => {
      for (const paths of [[path], ['title', path], ['*', path]])
        assert.throws(() => changes({ title: 'x' }, paths), refusal('invalid_update_mask', why));
    });

  it('of any words is refused, or names fields that can be changed', () => {
    const names = [...BookSchema.fields.flatMap(({ name, jsonName }) => [name, jsonName]), '*'];
    const path = fc.oneof(fc.constantFrom(...names), fc.string(), fc.string({ unit: 'grapheme' }));
    const book = fc.record(
      { title: fc.string(), pageCount: fc.integer({ min: 0, max: 9 }), authors: fc.array(fc.string()) },
      { requiredKeys: [] },
    );
    const known = new Map<string, string>();
    for (const { name, jsonName, localName } of BookSchema.fields)
      known.set(name, localName).set(jsonName, localName);
    fc.assert(
      fc.property(book, fc.array(path, { maxLength: 5 }), (sent, paths) => {
        try {
          const changed = changes(sent, paths);
          const whole = create(BookSchema, sent);
          for (const [name, value] of Object.entries(changed)) {
            assert.ok(changeable.some((each) => each === name));
            assert.deepEqual(value, whole[name as keyof typeof changed]);
            const isNamed = paths.some((each) => each === '*' || known.get(each) === name);
            assert.ok(paths.length === 0 || isNamed);
          }
        } catch (error) {
          assert.ok(refusal('invalid_update_mask', /./)(error) || refusal('nothing_to_change', /./)(error));
        }
      }),
      { numRuns },
    );
  });
});
