import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { HttpServer } from '../http/server.ts';
import { authorization, prefix, shelfOverHttp } from './testing/world.ts';

describe('a stream by HTTP', () => {
  let server: HttpServer;
  let url: string;
  before(async () => {
    ({ server } = await shelfOverHttp());
    url = await server.listen({ port: 0, host: '127.0.0.1' });
  });
  after(() => server.close());
  const read = (rest: string) =>
    fetch(`${url}${prefix}/v1/workspaces/w/books/${rest}`, { headers: { authorization } });
  const linesOf = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  it('is lines of JSON', async () => {
    const answer = await read('b:read?lines=2');
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /ndjson/);
    const text = await answer.text();
    assert.ok(text.endsWith('\n'));
    assert.deepEqual(linesOf(text), [
      { result: { line: 1, text: 'workspaces/w/books/b 1' } },
      { result: { line: 2, text: 'workspaces/w/books/b 2' } },
    ]);
  });

  it('is empty when there is nothing', async () => {
    const answer = await read('b:read?lines=0');
    assert.deepEqual([answer.status, await answer.text()], [200, '']);
  });

  it('ends with a line that says what went wrong', async () => {
    const lines = linesOf(await (await read('b:read?lines=1&fail=True')).text());
    assert.deepEqual(lines.at(-1), {
      error: { code: 3, message: 'The next page is torn out.', details: [] },
    });
    assert.equal(lines.length, 2);
  });

  it('is refused like any call when it fails before its first line', async () => {
    const answer = await read('missing:read?lines=1');
    assert.equal(answer.status, 404);
    assert.equal(((await answer.json()) as { code: number }).code, 5);
  });

  it('ends at its deadline with a line that says so', async () => {
    const answer = await fetch(`${url}${prefix}/v1/workspaces/w/books/b:read?lines=1&stay=true`, {
      headers: { authorization, 'grpc-timeout': '50m' },
    });
    const lines = linesOf(await answer.text());
    assert.deepEqual([lines.length, lines.at(-1).error.code], [2, 4]);
  });

  it('tells the implementation when its reader goes', async () => {
    const world = await shelfOverHttp();
    const own = await world.server.listen({ port: 0, host: '127.0.0.1' });
    const request = httpRequest(`${own}${prefix}/v1/workspaces/w/books/b:read?lines=1&stay=true`, {
      headers: { authorization },
    });
    request.on('error', () => {});
    request.on('response', (answer) => answer.once('data', () => request.destroy()));
    request.end();
    assert.match(await world.shelf.left, /gone/);
    await world.server.close();
  });

  it('ends a call whose caller goes before it is answered', async () => {
    const gone = new AbortController();
    const world = await shelfOverHttp();
    const own = await world.server.listen({ port: 0, host: '127.0.0.1' });
    const call = fetch(`${own}${prefix}/v1/wait`, { headers: { authorization }, signal: gone.signal });
    await world.shelf.came;
    gone.abort();
    await assert.rejects(call);
    assert.match(await world.shelf.left, /gone/);
    await world.server.close();
  });
});
