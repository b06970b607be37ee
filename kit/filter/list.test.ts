import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HaicError } from '../errors.ts';
import { listInMemory } from './in-memory.ts';
import { type ListRequest, type ListSpec, readListQuery } from './list.ts';
import { formatOrder, parseOrder } from './order.ts';
import { anyItem, fields, type Item } from './testing.ts';

const spec = {
  fields: { ...fields, id: { type: 'text' } },
  unique: 'id',
  usualOrder: 'create_time desc',
} as const satisfies ListSpec;

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof HaicError && error.status === 400, String(error));
    return error.code;
  }
  return 'none';
};

describe('orderBy', () => {
  const order = (text: string) => formatOrder(parseOrder(text, spec.fields, 'id'));

  it('is complete: what tells items apart is added', () => {
    assert.equal(order(''), 'id');
    assert.equal(order('display_name'), 'display_name, id');
    assert.equal(order(' display_name ,  create_time   DESC '), 'display_name, create_time desc, id desc');
    assert.equal(order('id desc, size asc'), 'id desc, size');
  });

  it('is refused where it says nothing that the list has', () => {
    for (const wrong of [
      'nme',
      'size up',
      'size desc desc',
      ',',
      'size,',
      'size, size',
      'experiment_ids',
      '1;--',
    ])
      assert.equal(
        codeOf(() => order(wrong)),
        'invalid_order',
        wrong,
      );
    assert.equal(
      codeOf(() => order(Array(9).fill('size').join())),
      'invalid_order',
    );
  });
});

describe('a list', () => {
  const item = (id: string, size: bigint): Item & { id: string } => ({
    ...{ id, size, display_name: id, note: null, score: null, active: true, state: 'READY' },
    ...{ create_time: '2026-01-01T00:00:00.000000Z', delete_time: null, experiment_ids: [] },
  });
  const items = Array.from({ length: 120 }, (_, at) => item(String(at).padStart(3, '0'), BigInt(at % 3)));
  const ask = (request: ListRequest, ...scope: string[]) =>
    listInMemory(readListQuery(spec, request, ...scope), items, (each) => each);

  it('gives 50 when no size is asked, and 1000 at most', () => {
    assert.equal(ask({}).items.length, 50);
    assert.equal(ask({ pageSize: 0 }).items.length, 50);
    assert.equal(ask({ pageSize: 7 }).items.length, 7);
    assert.equal(readListQuery(spec, { pageSize: 5000 }).pageSize, 1000);
    assert.equal(
      codeOf(() => ask({ pageSize: -1 })),
      'invalid_request',
    );
    assert.equal(ask({ pageSize: 120 }).nextPageToken, '');
  });

  it('takes a page token for the question that it was given for, and for no other', () => {
    const question = { filter: "display_name != 'x'", orderBy: 'size desc', pageSize: 10 };
    const { nextPageToken: pageToken } = ask(question, 'workspaces/w');
    assert.equal(ask({ ...question, pageSize: 20, pageToken }, 'workspaces/w').items.length, 20);
    const asked: [ListRequest, string][] = [
      [{ ...question, filter: '' }, 'workspaces/w'],
      [{ ...question, filter: "display_name != 'y'" }, 'workspaces/w'],
      [{ ...question, orderBy: 'size' }, 'workspaces/w'],
      [question, 'workspaces/other'],
    ];
    for (const [request, scope] of asked)
      assert.equal(
        codeOf(() => ask({ ...request, pageToken }, scope)),
        'invalid_page_token',
      );
  });

  it('refuses any other token, and one whose keys are not of the order', () => {
    const orderBy = 'size, create_time, active, score';
    const { nextPageToken } = ask({ orderBy, pageSize: 1 });
    const place = JSON.parse(Buffer.from(nextPageToken, 'base64url').toString()) as unknown[];
    const tokenOf = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const bad: readonly (readonly unknown[])[] = [
      ['x', 1, null],
      ['x', '1.5', '9223372036854775808', 1, null],
      ['x', '2026-02-30T00:00:00.000000Z', '2026-01-01', "'", null],
      ['x', '1', true, null],
      ['x', '', '1; drop', 1, ['1']],
      ['\0', 1, null],
    ];
    const tokens = [
      ...['x', '..', '\u0000', tokenOf(null), tokenOf([]), tokenOf({}), tokenOf([...place, 'x'])],
      ...bad.flatMap((keys, at) => keys.map((key) => tokenOf(place.with(at, key)))),
    ];
    for (const pageToken of tokens)
      assert.equal(
        codeOf(() => ask({ orderBy, pageToken })),
        'invalid_page_token',
        Buffer.from(pageToken, 'base64url').toString(),
      );
    assert.equal(ask({ orderBy, pageToken: nextPageToken }).items.length, 50);
  });

  it('falls apart into pages of any size, nothing twice and nothing missing', () => {
    const orders = ['', 'display_name', 'note desc, size', 'score, delete_time desc', 'state, active desc'];
    fc.assert(
      fc.property(
        fc.uniqueArray(anyItem, { maxLength: 12, selector: ({ id }) => id }),
        fc.constantFrom(...orders),
        fc.integer({ min: 1, max: 5 }),
        (all, orderBy, pageSize) => {
          const page = (pageToken: string, size: number) =>
            listInMemory(readListQuery(spec, { orderBy, pageSize: size, pageToken }), all, (each) => each);
          const seen: string[] = [];
          let token = '';
          do {
            const { items: found, nextPageToken } = page(token, pageSize);
            seen.push(...found.map(({ id }) => id));
            token = nextPageToken;
          } while (token !== '' && seen.length <= all.length);
          assert.deepEqual(
            seen,
            page('', 1000).items.map(({ id }) => id),
          );
          assert.equal(new Set(seen).size, all.length);
        },
      ),
    );
  });
});
