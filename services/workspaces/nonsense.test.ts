import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const runs = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 300;

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    'a\0b',
    '../..',
    "o'brien",
    "' or 1=1 --",
    '%2F',
    '-',
    '*',
    '__proto__',
  ),
  fc.constantFrom('users/', 'groups/', 'users/sub-ada', 'groups/red', 'x'.repeat(5000), '𝔉', '\u202e'),
);
const json = fc.oneof(
  nasty,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(nasty, { maxLength: 3 }),
  fc.dictionary(nasty, nasty, { maxKeys: 4 }),
);
const field = fc.constantFrom(
  'displayName',
  'description',
  'annotations',
  'member',
  'role',
  'etag',
  'owner',
  'name',
  'constructor',
);
const body = fc.oneof(
  fc.dictionary(field, json, { maxKeys: 5 }).map((each) => JSON.stringify(each)),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const name = fc.oneof(
  fc.constantFrom(
    'workspaces/default',
    'workspaces/global',
    'workspaces/-',
    '{made}',
    '{made}/members/{made}',
  ),
  nasty.map((text) => `workspaces/${encodeURIComponent(text.toWellFormed())}`),
);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom('pageSize', 'pageToken', 'filter', 'orderBy', 'state', 'showAll', 'updateMask', 'etag'),
      fc.oneof(
        nasty,
        fc.integer().map(String),
        fc.constantFrom('true', 'True', 'display_name', '*', 'WORKSPACE_STATE_DELETED'),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) =>
    pairs.map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`).join('&'),
  );
const path = fc.oneof(
  fc.constantFrom('/v1/workspaces', '/v1/workspaces:count', '/v1/users', '/v1/groups', '/mlops/me'),
  fc
    .tuple(name, fc.constantFrom('', '/members', ':undelete', ':leave', ':assignOwner', ':x'))
    .map(([left, right]) => `/v1/${left}${right}`),
  nasty.map((text) => `/v1/users/${encodeURIComponent(text.toWellFormed())}`),
);

describe('nonsense', () => {
  let world: TestWorkspaces;
  let made: string;
  before(async () => {
    world = await startTestWorkspaces();
    made = await world.make('ada');
  });
  after(() => world.stop());

  it('is refused in clear words, and never breaks anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'),
        path,
        query,
        body,
        async (method, place, parameters, sent) => {
          const address = `${place.replaceAll('{made}', made)}${parameters === '' ? '' : `?${parameters}`}`;
          const withBody = method !== 'GET' && method !== 'DELETE';
          const { status, json: said } = await world.call(
            method,
            address,
            tokenOf('ada'),
            withBody ? sent : undefined,
          );
          assert.ok(status < 500, `${method} ${address} ${sent}: ${status} ${JSON.stringify(said)}`);
          if (status >= 400) assert.ok(typeof (said.message ?? said.detail) === 'string');
        },
      ),
      { numRuns: runs },
    );
  });

  it('as a description is kept as it came, or refused', async () => {
    // Of its own: nonsense may have deleted the other one.
    const own = await world.make('ada');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 100 }), async (text) => {
        const { status, json: said } = await world.call(
          'PATCH',
          `/v1/${own}?updateMask=description,annotations`,
          tokenOf('ada'),
          {
            description: text,
            annotations: { text },
          },
        );
        if (status === 200)
          assert.deepEqual([said.workspace.description, said.workspace.annotations], [text, { text }]);
        else assert.equal(status, 400);
      }),
      { numRuns: runs / 3 },
    );
  });
});
