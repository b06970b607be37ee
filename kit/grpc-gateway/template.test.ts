import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byExactness, matchTemplate, parseTemplate, readPath } from './template.ts';

function match(template: string, raw: string): Record<string, string> | undefined {
  const path = readPath(raw);
  const found = path && matchTemplate(parseTemplate(template), path);
  return found && Object.fromEntries(found);
}

describe('path templates', () => {
  const rows: readonly (readonly [string, string, Record<string, string> | undefined])[] = [
    ['/v1/books', '/v1/books', {}],
    ['/v1/books', '/v1/bookshelf', undefined],
    ['/v1/books', '/v1/books/1', undefined],
    ['/v1/{id}', '/v1/7', { id: '7' }],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/w', { name: 'workspaces/w' }],
    ['/v1/{name=workspaces/*}', '/v1/workspaces', undefined],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/', undefined],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/w/x', undefined],
    ['/v1/{name=workspaces/*/secrets/*}', '/v1/workspaces/w/secrets/s', { name: 'workspaces/w/secrets/s' }],
    [
      '/v1/{name=workspaces/*/secrets/*}',
      '/v1/workspaces%2Fw%2Fsecrets%2Fs',
      { name: 'workspaces/w/secrets/s' },
    ],
    [
      '/v1/{name=workspaces/*/secrets/*}',
      '/v1/workspaces%2fw%2fsecrets%2fs',
      { name: 'workspaces/w/secrets/s' },
    ],
    ['/v1/{parent=workspaces/*}/secrets', '/v1/workspaces%2Fw/secrets', { parent: 'workspaces/w' }],
    ['/v1/{parent=workspaces/*}/secrets', '//v1//workspaces/w/secrets', { parent: 'workspaces/w' }],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/a%252Fb', { name: 'workspaces/a%2Fb' }],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/a+b%20c', { name: 'workspaces/a+b c' }],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/%C3%A9', { name: 'workspaces/é' }],
    ['/v1/{name=workspaces/*}:undelete', '/v1/workspaces/w:undelete', { name: 'workspaces/w' }],
    ['/v1/{name=workspaces/*}:undelete', '/v1/workspaces%2Fw%3Aundelete', { name: 'workspaces/w' }],
    ['/v1/{name=workspaces/*}:undelete', '/v1/workspaces/a:b:undelete', { name: 'workspaces/a:b' }],
    ['/v1/{name=workspaces/*}:undelete', '/v1/workspaces/:undelete', undefined],
    ['/v1/{name=workspaces/*}:undelete', '/v1/workspaces/w', undefined],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/a:b', { name: 'workspaces/a:b' }],
    ['/v1/events:batchCreate', '/v1/events:batchCreate', {}],
    ['/v1/events:batchCreate', '/v1/events%3AbatchCreate', {}],
    ['/v1/events', '/v1/events:batchCreate', undefined],
    ['/v1/{parent=w/*}/status:batchGet', '/v1/w/1/status:batchGet', { parent: 'w/1' }],
    ['/v1/{path=files/**}', '/v1/files/a/b/c', { path: 'files/a/b/c' }],
    ['/v1/{path=files/**}', '/v1/files', { path: 'files' }],
    ['/v1/{path=**}:open', '/v1/a/b:open', { path: 'a/b' }],
    ['/v1/*/{book.name=books/*}', '/v1/x/books/1', { 'book.name': 'books/1' }],
    ['/a.b.Service/Method', '/a.b.Service/Method', {}],
    ['/v1/{name=workspaces/*}', '/v1/workspaces/__proto__', { name: 'workspaces/__proto__' }],
  ];
  for (const [template, raw, expected] of rows)
    it(`${template} ${expected === undefined ? 'does not match' : 'matches'} ${raw}`, () => {
      assert.deepEqual(match(template, raw), expected);
    });

  for (const raw of [
    '/v1/%',
    '/v1/%zz',
    '/v1/%C3',
    '/v1/%FF',
    '/v1/%ED%A0%80',
    '/v1/%00',
    '/v1/a%0Ab',
    '/v1/%7F',
  ])
    it(`takes ${raw} for no path`, () => assert.equal(readPath(raw), undefined));

  for (const template of [
    'v1/x',
    '/',
    '/v1//x',
    '/v1/{a',
    '/v1/{a}b',
    '/v1/**/x',
    '/v1/{=x}',
    '/v1/{a=}',
    '/v1/{a.}',
  ])
    it(`refuses the template ${template}`, () => assert.throws(() => parseTemplate(template), /is wrong/));

  it('asks the more exact template first', () => {
    const sorted = ['/v1/{a=**}', '/v1/{a}', '/v1/{a}/b', '/v1/x', '/v1/{a}:go', '/v1/x/y']
      .map(parseTemplate)
      .sort(byExactness);
    assert.deepEqual(
      sorted.map(({ source }) => source),
      ['/v1/{a}:go', '/v1/x/y', '/v1/x', '/v1/{a}/b', '/v1/{a}', '/v1/{a=**}'],
    );
  });

  it('gives back any name that was encoded as one segment', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[/\p{Cc}]/u.test(text));
    fc.assert(
      fc.property(segment, segment, (workspace, secret) => {
        const name = `workspaces/${workspace}/secrets/${secret}`;
        assert.deepEqual(match('/v1/{name=workspaces/*/secrets/*}', `/v1/${encodeURIComponent(name)}`), {
          name,
        });
      }),
    );
  });

  it('survives every path', () => {
    const template = parseTemplate('/v1/{name=workspaces/*/secrets/**}:undelete');
    fc.assert(
      fc.property(fc.string(), (raw) => {
        const path = readPath(raw);
        if (path !== undefined) matchTemplate(template, path);
      }),
    );
  });
});
