import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appId, people, startTestScheduler } from './testing.ts';

const { owner, router } = people;

/** The same inputs at each run, so that a failure can be repeated. */
function* randomNumbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
const random = randomNumbers(42);
const below = (limit: number): number => Math.floor(random.next().value * limit);
const pick = <T>(values: readonly [T, ...T[]]): T => values[below(values.length)] ?? values[0];

const pieces = [
  '..',
  '%2e%2e',
  '/',
  '%2f',
  '%00',
  '\\',
  ' ',
  '%',
  '%zz',
  '__proto__',
  'constructor',
  '-1',
  '1e999',
  'NaN',
  '🦄',
  '\u202e',
  "'",
  '"',
  '<svg>',
  '{{7*7}}',
  '$(id)',
  'a'.repeat(150),
  '0'.repeat(64),
  'null',
  'true',
  '[]',
] as const;
const word = (): string => Array.from({ length: 1 + below(3) }, () => pick(pieces)).join('');

const bodies = (): unknown => {
  const value = pick<unknown>([
    null,
    7,
    word(),
    [],
    {},
    [[[]]],
    { visibility: word() },
    { visibility: ['PRIVATE'] },
    { visibility: null },
    { visibility: 'private' },
    { visibility: 'PRIVATE', extra: 1 },
    { ['__proto__']: { visibility: 'PUBLIC' } },
  ]);
  return value;
};

test('nonsense in addresses, queries, headers and bodies is answered with 4xx, and nothing is started', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const templates: readonly [
    () => [string, RequestInit & { json?: unknown }],
    ...(() => [string, RequestInit & { json?: unknown }])[],
  ] = [
    () => [`/api/v1/instances/${encodeURIComponent(word())}`, {}],
    () => [`/api/v1/instances/${encodeURIComponent(word())}`, { method: 'DELETE' }],
    () => [`/api/v1/instances/${encodeURIComponent(word())}/logs?tail=${encodeURIComponent(word())}`, {}],
    () => [
      `/api/v1/instances/${id}/logs?tail=${encodeURIComponent(pick(['-1', 'x', '1e999', 'NaN', '9999999999']))}`,
      {},
    ],
    () => [`/api/v1/instances/${id}/logs?follow=${encodeURIComponent(pick(['maybe', '2', '{}']))}`, {}],
    () => [`/api/v1/instances/${id}`, { method: 'PATCH', json: bodies() }],
    () => [
      `/api/v1/instances/${id}`,
      { method: 'PATCH', body: word(), headers: { 'content-type': 'application/json' } },
    ],
    () => [`/api/v1/apps/${encodeURIComponent(word())}/instances`, { method: 'POST', json: {} }],
    () => [`/api/v1/apps/${appId}/instances`, { method: 'POST', json: { visibility: word() } }],
    () => [`/api/v1/instances?pageSize=${encodeURIComponent(pick(['0', '-1', 'x', '1e9']))}`, {}],
    () => [`/api/v1/instances?pageToken=${encodeURIComponent(word())}`, {}],
    () => [`/api/v1/instances?appId=${encodeURIComponent(`${word()} `)}`, {}],
    () => [`/api/launcher/v1/instances/${encodeURIComponent(word())}/bundle`, {}],
    () => [
      `/api/launcher/v1/instances/${id}/token`,
      {
        method: 'POST',
        headers: {
          'x-haic-timestamp': String(below(2 ** 31)),
          'x-haic-signature': pick(['', 'f'.repeat(64), 'x']),
        },
      },
    ],
  ];
  for (let i = 0; i < 400; i += 1) {
    const [path, init] = pick(templates)();
    const response = await t.as(owner, path, init);
    const text = await response.text();
    assert.ok(
      response.status >= 400 && response.status < 500,
      `${init.method ?? 'GET'} ${path.slice(0, 120)} → ${response.status} ${text.slice(0, 200)}`,
    );
    assert.match(
      response.headers.get('content-type') ?? '',
      /problem\+json/,
      `${path.slice(0, 300)} ${text}`,
    );
  }
  assert.equal((await t.runtime.list({})).length, 1);
  assert.equal((await t.as(owner, `/api/v1/instances/${id}`)).status, 200);
});

test('odd but legal input is no error', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  for (const query of ['__proto__', '%', '🦄', '.*', "' or 1=1"]) {
    const response = await t.as(owner, `/api/v1/instances?query=${encodeURIComponent(query)}`);
    assert.deepEqual([response.status, await response.json()], [200, { items: [] }]);
  }
  t.runtime.print(`app-${id}`, 'one');
  for (const lastId of ['-1', 'x', '1e9', '9'.repeat(400)]) {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastId };
    const response = await t.as(owner, `/api/v1/instances/${id}/logs`, { headers });
    assert.match(await response.text(), /id: 1\ndata: one\n/);
  }
  assert.equal((await t.as(router, `/api/v1/instances/${id}`)).status, 403);
});
