import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { type JsonObject, toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import fc from 'fast-check';
import { createRoutes } from './bindings.ts';
import { noBody } from './json-body.ts';
import { requestOf } from './query.ts';
import { type JsonRules, serve } from './service.ts';
import { readPath } from './template.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { createShelf } from './testing/shelf.ts';

const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 200;

function requestAt(method: string, address: string, json: Partial<JsonRules> = {}): JsonObject {
  const [raw = '', query = ''] = address.split('?');
  const path = readPath(raw);
  const found = path && createRoutes([serve(ShelfService, createShelf(), { json })]).find(method, path);
  assert.ok(found, address);
  return toJson(found.binding.method.desc.input, requestOf(found, query, noBody)) as JsonObject;
}

const list = (query: string, json?: Partial<JsonRules>): JsonObject => {
  const { parent, ...rest } = requestAt('GET', `/v1/workspaces/w/books?${query}`, json);
  assert.equal(parent, 'workspaces/w');
  return rest;
};

const refused = (error: unknown) => error instanceof ConnectError && error.code === Code.InvalidArgument;

describe('the query of an address', () => {
  const rows: readonly (readonly [string, JsonObject])[] = [
    ['pageSize=3&pageToken=t', { pageSize: 3, pageToken: 't' }],
    ['page_size=3', { pageSize: 3 }],
    ['pageSize=0&pageToken=&showDeleted=', {}],
    ['showDeleted=True', { showDeleted: true }],
    ['showDeleted=true', { showDeleted: true }],
    ['showDeleted=1', { showDeleted: true }],
    ['showDeleted=False', {}],
    ['genre=GENRE_POEM', { genre: 'GENRE_POEM' }],
    ['genre=2', { genre: 'GENRE_POEM' }],
    ['genres=1&genres=GENRE_POEM', { genres: ['GENRE_NOVEL', 'GENRE_POEM'] }],
    ['authors=a&authors=b,c', { authors: ['a', 'b,c'] }],
    ['authors=a+b%20c%2B', { authors: ['a b c+'] }],
    ['publisher.city=Rom&publisher.display_name=D', { publisher: { city: 'Rom', displayName: 'D' } }],
    ['publisher.foundingTime=1999-01-01T00:00:00', { publisher: { foundingTime: '1999-01-01T00:00:00Z' } }],
    ['since=2026-11-22+15%3A35%3A50%2B00%3A00', { since: '2026-11-22T15:35:50Z' }],
    ['copiesSold=9007199254740993', { copiesSold: '9007199254740993' }],
    ['weight=0.5', { weight: 0.5 }],
    ['weight=-Infinity', { weight: '-Infinity' }],
    ['weight=0', { weight: 0 }],
    ['cover=-_8', { cover: '+/8=' }],
    ['readingTime=300s', { readingTime: '300s' }],
    ['lent=False', { lent: false }],
    ['parent=workspaces/other', {}],
    ['nothing=1&publisher.nothing=1&pageSize.x=1', {}],
    ['', {}],
  ];
  for (const [query, expected] of rows)
    it(`"${query}" is ${JSON.stringify(expected)}`, () => assert.deepEqual(list(query), expected));

  const masks: readonly (readonly [string, string[]])[] = [
    ['display_name,extra_scopes', ['display_name', 'extra_scopes']],
    ['displayName%2C%20title', ['display_name', 'title']],
    ['*', ['*']],
    ['securities.%2B1,securities.17', ['securities.+1', 'securities.17']],
    ['title&updateMask=genre', ['title', 'genre']],
  ];
  for (const [text, expected] of masks)
    it(`updateMask=${text} has the paths ${expected.join(' ')}`, () => {
      const path = readPath('/v1/workspaces/w/books/b');
      const found = path && createRoutes([serve(ShelfService, createShelf())]).find('PATCH', path);
      assert.ok(found);
      const { updateMask } = requestOf(found, `updateMask=${text}`, noBody) as unknown as {
        updateMask: { paths: string[] };
      };
      assert.deepEqual(updateMask.paths, expected);
    });

  for (const query of [
    'pageSize=1.5',
    'pageSize=0x1',
    'showDeleted=yes',
    'genre=POEM',
    'genre=7',
    'weight=heavy',
    'cover=*',
    'since=1',
    'annotations=a',
    'publisher=a',
    'pageSize=-2147483649',
    'copiesSold=9223372036854775808',
  ])
    it(`"${query}" is refused`, () => assert.throws(() => list(query), refused));

  it('is refused with what a call does not know where a contract says so', () => {
    assert.throws(() => list('nothing=', { unknownQuery: 'refused' }), refused);
    assert.deepEqual(list('pageSize=1', { unknownQuery: 'refused' }), { pageSize: 1 });
  });

  it('says what it was made of', () => {
    const given = fc.record(
      {
        pageSize: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        pageToken: fc.string({ minLength: 1, unit: 'grapheme' }),
        copiesSold: fc.bigInt(1n, 2n ** 63n - 1n).map(String),
        authors: fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(given, (expected) => {
        const pairs = Object.entries(expected).flatMap(([name, value]) =>
          [value].flat().map((each): [string, string] => [name, String(each)]),
        );
        assert.deepEqual(list(new URLSearchParams(pairs).toString()), expected);
      }),
      { numRuns },
    );
  });

  it('is read or refused, whatever it is', () => {
    const names = fc.constantFrom(
      'pageSize',
      'genre',
      'publisher.foundingTime',
      'authors',
      'cover',
      'lent',
      '__proto__',
      '%',
      '',
    );
    const parameter = fc.tuple(fc.oneof(names, fc.string()), fc.string()).map((parts) => parts.join('='));
    fc.assert(
      fc.property(fc.array(parameter), (parameters) => {
        try {
          list(parameters.join('&').replaceAll('?', ''));
        } catch (error) {
          assert.ok(refused(error), String(error));
        }
      }),
      { numRuns },
    );
  });
});
