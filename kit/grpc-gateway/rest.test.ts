import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { HttpServer } from '../http/server.ts';
import { authorization, prefix, shelfOverHttp } from './testing/world.ts';

const json = { authorization, 'content-type': 'application/json' };

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'HEAD';
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function call(server: HttpServer, { method = 'GET', url, body, headers }: Sent) {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await server.inject({
    ...{ method, url: `${prefix}${url}`, headers: { ...json, ...headers } },
    ...(payload === undefined ? {} : { payload: payload as string }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.body === '' ? '' : answer.json(),
  };
}

describe('protobuf services by HTTP and JSON', () => {
  let server: HttpServer;
  before(async () => {
    ({ server } = await shelfOverHttp());
  });
  after(() => server.close());

  it('finds a method by its template, and a name that is one encoded segment', async () => {
    for (const url of [
      '/v1/workspaces/w/books/b',
      '/v1/workspaces%2Fw%2Fbooks%2Fb',
      '//v1/workspaces/w//books/b',
    ])
      assert.equal((await call(server, { url })).body.book.name, 'workspaces/w/books/b', url);
  });

  it('finds a method by an additional binding', async () => {
    assert.equal((await call(server, { url: '/v1/archive/1999/b' })).body.book.name, 'archive/1999/b');
  });

  it('finds the prefix however it is encoded, and decodes what follows once', async () => {
    const answer = await server.inject({ url: '/%73helf/v1/workspaces/a%2520b/books/c', headers: json });
    assert.equal(answer.json().book.name, 'workspaces/a%20b/books/c');
  });

  it('finds a custom verb, beside a name with a colon', async () => {
    const url = '/v1/workspaces/w/books/b:undelete';
    const undeleted = await call(server, { method: 'POST', url, body: {} });
    assert.equal(undeleted.body.book.name, 'workspaces/w/books/b');
    assert.equal(
      (await call(server, { url: '/v1/workspaces/w/books/b:c' })).body.book.name,
      'workspaces/w/books/b:c',
    );
  });

  it('takes the whole body, one field of it, and none', async () => {
    const batch = { requests: [{ book: { title: 'One' } }, { book: { title: 'Two' } }] };
    const created = await call(server, { method: 'POST', url: '/v1/books:batchCreate', body: batch });
    assert.deepEqual(
      created.body.books.map((book: { title: string }) => book.title),
      ['One', 'Two'],
    );
    const url = '/v1/workspaces/w/books?bookId=b&book.title=Query';
    const one = await call(server, { method: 'POST', url, body: { title: 'Body' } });
    assert.equal(one.body.book.name, 'workspaces/w/books/b');
    assert.equal(one.body.book.title, 'Body');
    const deleted = await call(server, {
      method: 'DELETE',
      url: '/v1/workspaces/w/books/b',
      body: 'no JSON',
    });
    assert.deepEqual([deleted.status, deleted.body], [200, {}]);
  });

  it('takes an empty body with a JSON content type for an empty message', async () => {
    const answer = await call(server, { method: 'POST', url: '/v1/workspaces/w/books/b:undelete' });
    assert.deepEqual([answer.status, answer.body.book.name], [200, 'workspaces/w/books/b']);
  });

  it('answers one field where response_body says so, and lets nothing contradict the path', async () => {
    const body = { name: 'workspaces/other/books/x', title: 'T', createTime: '2026-01-01T00:00:00+02:00' };
    const url = '/v1/workspaces/w/books/b?updateMask=title,create_time&book.name=z';
    const { status, body: book } = await call(server, { method: 'PATCH', url, body });
    assert.equal(status, 200);
    assert.equal(book.name, 'workspaces/w/books/b');
    assert.equal(book.checked, 'title,createTime');
    assert.equal(book.createTime, '2025-12-31T22:00:00Z');
  });

  it('lets the implementation see who calls and set headers', async () => {
    assert.equal((await call(server, { url: '/v1/workspaces/w/books/b' })).headers['x-caller'], 'ada');
  });

  it('answers HEAD as GET', async () => {
    const { status, body } = await call(server, { method: 'HEAD', url: '/v1/workspaces/w/books/b' });
    assert.deepEqual([status, body], [200, '']);
  });

  it('is JSON at the address of a procedure, by the rules of JSON', async () => {
    const url = '/haic.testing.shelf.v1.ShelfService/EchoBook';
    const { status, body } = await call(server, { method: 'POST', url, body: { book: { copiesSold: 3 } } });
    assert.equal(status, 200);
    assert.equal(body.book.copiesSold, '3');
    assert.equal(body.book.genre, 'GENRE_UNSPECIFIED');
  });

  const refusals: readonly (readonly [string, Sent, number, number])[] = [
    ['no token', { url: '/v1/workspaces/w/books', headers: { authorization: '' } }, 401, 16],
    ['a wrong token', { url: '/v1/workspaces/w/books', headers: { authorization: 'Bearer x' } }, 401, 16],
    ['no token, for an address that does not exist', { url: '/x', headers: { authorization: '' } }, 401, 16],
    ['an address that does not exist', { url: '/v1/nothing' }, 404, 5],
    ['another method', { method: 'PUT', url: '/v1/workspaces/w/books' }, 405, 12],
    ['what the service does not find', { url: '/v1/workspaces/w/books/missing' }, 404, 5],
    ['what is there already', { url: '/v1/workspaces/w/books/taken' }, 409, 6],
    [
      'a body that is no JSON',
      { method: 'POST', url: '/v1/books:batchCreate', body: '{"requests":' },
      400,
      3,
    ],
    ['a body that is no object', { method: 'POST', url: '/v1/books:batchCreate', body: '[]' }, 400, 3],
    [
      'a body of another type',
      {
        method: 'POST',
        url: '/v1/books:batchCreate',
        body: 'a=b',
        headers: { 'content-type': 'text/plain' },
      },
      415,
      3,
    ],
    [
      'a wrong type of field',
      { method: 'POST', url: '/v1/workspaces/w/books', body: { pageCount: 'many' } },
      400,
      3,
    ],
    [
      'a wrong enum',
      { method: 'POST', url: '/v1/workspaces/w/books', body: { genre: 'GENRE_OTHER' } },
      400,
      3,
    ],
    ['a wrong parameter', { url: '/v1/workspaces/w/books?pageSize=many' }, 400, 3],
    ['a number out of range', { url: '/v1/workspaces/w/books?pageSize=2147483648' }, 400, 3],
    ['a wrong deadline', { url: '/v1/wait', headers: { 'grpc-timeout': 'soon' } }, 400, 3],
    ['a deadline that is over', { url: '/v1/wait', headers: { 'grpc-timeout': '5m' } }, 504, 4],
  ];
  for (const [what, sent, status, code] of refusals)
    it(`refuses ${what} with ${status} and code ${code}`, async () => {
      const answer = await call(server, sent);
      assert.deepEqual([answer.status, answer.body.code], [status, code], answer.body.message);
      assert.ok(answer.body.message.length > 5);
      assert.deepEqual(answer.body.details, []);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
    });

  it('says which methods an address knows', async () => {
    const answer = await call(server, { method: 'PUT', url: '/v1/workspaces/w/books' });
    assert.equal(answer.headers.allow, 'GET, POST');
  });

  it('says nothing of what broke inside', async () => {
    const answer = await call(server, { url: '/v1/workspaces/w/books/broken' });
    assert.deepEqual([answer.status, answer.body.code], [500, 13]);
    assert.doesNotMatch(JSON.stringify(answer), /hunter2/);
  });

  it('carries the stable code of an error beside its number', async () => {
    const answer = await call(server, { url: '/v1/workspaces/w/books/taken' });
    assert.equal(answer.headers['haic-code'], 'name_taken');
    assert.equal(answer.body.message, 'That name is taken. Choose another.');
  });

  it('refuses a body that is too large, while it comes', async () => {
    const small = await shelfOverHttp({}, { bodyLimit: 100 });
    const body = { requests: [{ book: { title: 'x'.repeat(200) } }] };
    const answer = await call(small.server, { method: 'POST', url: '/v1/books:batchCreate', body });
    assert.deepEqual([answer.status, answer.body.code], [413, 8]);
    await small.server.close();
  });

  it('refuses a kind of client that a method does not want', async () => {
    const stricter = await shelfOverHttp({ methods: { deleteBook: { deed: 'change apps' } } });
    const headers = { authorization: 'Bearer app' };
    const url = '/v1/workspaces/w/books/b';
    assert.equal((await call(stricter.server, { url, headers })).status, 200);
    const refused = await call(stricter.server, { method: 'DELETE', url, headers });
    assert.deepEqual([refused.status, refused.body.code], [403, 7]);
    await stricter.server.close();
  });

  const hostile = [
    '/v1/workspaces/%/books/b',
    '/v1/workspaces/%zz/books/b',
    '/v1/workspaces/%FF/books/b',
    '/v1/workspaces/%ED%A0%80/books/b',
    '/v1/workspaces/%00/books/b',
    '/v1/workspaces/w/books?pageToken=%',
    '/v1/workspaces/w/books?pageToken=%C3%28',
    '/v1/workspaces/w/books?%FF=1',
    '/v1/workspaces/w/books?pageSize=1&pageSize=2',
    '/v1/workspaces/w/books?pageSize=1e999',
    '/v1/workspaces/w/books?publisher=x',
    '/v1/workspaces/w/books?annotations=x',
    '/v1/workspaces/w/books?since=yesterday',
    '/v1/workspaces/w/books?since=2026-99-99T00:00:00Z',
    '/v1/workspaces/w/books?readingTime=long',
    '/v1/workspaces/w/books?cover=%25%25',
    `/v1/workspaces/w/books?${'authors=a&'.repeat(1001)}`,
  ];
  for (const url of hostile)
    it(`refuses ${url.slice(0, 70)} with 400 and code 3`, async () => {
      const answer = await call(server, { url });
      assert.deepEqual([answer.status, answer.body.code], [400, 3], JSON.stringify(answer.body));
    });

  const harmless = [
    '/v1/workspaces/w/books?__proto__=1&__proto__.polluted=1&constructor.prototype.polluted=1',
    `/v1/workspaces/w/books?${'publisher.'.repeat(2000)}city=x`,
    '/v1/workspaces/w/books?=&&=x&&',
    '/v1/workspaces/__proto__/books?toString=1&hasOwnProperty=2',
  ];
  for (const url of harmless)
    it(`ignores what it does not know in ${url.slice(0, 70)}`, async () => {
      assert.equal((await call(server, { url })).status, 200);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    });

  it('survives a body that is nested as deep as its size allows', async () => {
    for (const [open, close] of [
      ['{"sequel":', '}'],
      ['{"extra":{"a":[', ']}}'],
      ['[', ']'],
    ] as const) {
      const body = `${open.repeat(30_000)}1${close.repeat(30_000)}`;
      const answer = await call(server, { method: 'POST', url: '/v1/workspaces/w/books', body });
      assert.deepEqual([answer.status, answer.body.code], [400, 3]);
    }
  });

  it('keeps a key __proto__ of a map as the key that it is', async () => {
    const body =
      '{"annotations":{"__proto__":"x","a":"b"},"extra":{"__proto__":{"polluted":1}},"__proto__":{"title":"y"}}';
    const answer = await call(server, { method: 'POST', url: '/v1/workspaces/w/books', body });
    assert.equal(answer.status, 200);
    assert.equal(Object.getOwnPropertyDescriptor(answer.body.book.annotations, '__proto__')?.value, 'x');
    assert.equal(answer.body.book.title, '');
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  it('refuses unknown fields and parameters where a contract says so', async () => {
    const strict = await shelfOverHttp({
      json: { unknownFields: 'refused', unknownQuery: 'refused', naiveTimestamps: 'refused' },
    });
    const url = '/v1/workspaces/w/books';
    for (const sent of [
      { method: 'POST', url, body: { tittle: 'x' } },
      { method: 'POST', url, body: { createTime: '2026-01-01T00:00:00' } },
      { url: `${url}?pageSise=1` },
      { method: 'POST', url: '/v1/books:batchCreate?x=1', body: {} },
    ] as const)
      assert.deepEqual((await call(strict.server, sent)).body.code, 3);
    await strict.server.close();
  });
});
