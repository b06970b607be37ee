import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayOpen } from './client.ts';
import { appId, pause, people, startTestScheduler, viaApp } from './testing.ts';

const { owner, other, author, admin, visitor, router, core } = people;
const stranger = '33333333-3333-4333-8333-333333333333';

/**
 * Written by hand from contracts/app-store.md §4 and design.md §6: what each route answers to each actor for an instance of `owner`,
 * of an app of `author`. 404 where one may not know of it.
 */
const actors = [
  'owner',
  'other',
  'author',
  'admin',
  'visitor',
  'its app',
  'another app',
  // The same owner, if it is a machine.
  'account',
  'core',
  'nobody',
] as const;
type Row = readonly [route: string, ...statuses: number[]];

// biome-ignore format: columns
const privateInstance: readonly Row[] = [
  //                           owner other author admin visitor itsApp otherApp account core nobody
  ['GET /',                    200,  404,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /status',              200,  404,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /events',              200,  404,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /logs',                200,  404,  200,  200,  404,    403,   403,      200,     403, 401],
  ['PATCH /',                  200,  404,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /suspend',            200,  404,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /resume',             200,  404,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /extend',             200,  404,  403,  200,  404,    403,   403,      200,     403, 401],
  ['PATCH /#suspendAfter',     403,  404,  403,  200,  404,    403,   403,      403,     403, 401],
  ['DELETE /',                 204,  404,  403,  204,  404,    403,   403,      204,     403, 401],
];
// biome-ignore format: columns
const sharedInstance: readonly Row[] = [
  ['GET /',                    200,  200,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /status',              200,  200,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /events',              200,  200,  200,  200,  404,    200,   404,      200,     403, 401],
  ['GET /logs',                200,  403,  200,  200,  404,    403,   403,      200,     403, 401],
  ['PATCH /',                  200,  403,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /suspend',            200,  403,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /resume',             200,  403,  403,  200,  404,    403,   403,      200,     403, 401],
  ['POST /extend',             200,  403,  403,  200,  404,    403,   403,      200,     403, 401],
  ['PATCH /#suspendAfter',     403,  403,  403,  200,  404,    403,   403,      403,     403, 401],
  ['DELETE /',                 204,  403,  403,  204,  404,    403,   403,      204,     403, 401],
];
const runPath = `/api/v1/apps/${appId}/instances`;
// biome-ignore format: columns
const elsewhere: readonly Row[] = [
  ['GET /api/v1/me',           200,  200,  200,  200,  200,    200,   200,      200,     403, 401],
  ['GET /api/v1/instances',    200,  200,  200,  200,  200,    200,   200,      200,     403, 401],
  [`POST ${runPath}`,          201,  201,  201,  201,  404,    403,   403,      201,     403, 401],
  ['GET /internal/routes',     403,  403,  403,  403,  403,    403,   403,      403,     403, 401],
];

const tables = [
  ['a PRIVATE instance', 'PRIVATE', privateInstance],
  ['an ALL_USERS instance', 'ALL_USERS', sharedInstance],
  ['a PUBLIC instance', 'PUBLIC', sharedInstance],
  ['what belongs to no instance', 'PRIVATE', elsewhere],
] as const;

for (const [what, visibility, rows] of tables) {
  test(`who may what: ${what}`, async () => {
    for (const [route, ...expected] of rows) {
      for (const [column, actor] of actors.entries()) {
        // A fresh instance each time: DELETE would take it from the next one.
        await using t = await startTestScheduler();
        const id = await t.run(owner, { visibility });
        const who = [
          owner,
          other,
          author,
          admin,
          visitor,
          viaApp(owner, id),
          viaApp(owner, stranger),
          { ...owner, party: 'haic-sa-ci' },
          core,
          undefined,
        ][column];
        const [method, address] = route.split(' ');
        const [path, field] = (address ?? '').split('#');
        if (path === '/resume') await pause(t, id);
        const target =
          path?.startsWith('/api/') || path?.startsWith('/internal/')
            ? path
            : `/api/v1/instances/${id}${path === '/' ? '' : path}`;
        const ended = new AbortController();
        const change = field === undefined ? { visibility: 'PUBLIC' } : { [field]: 'never' };
        const json = method === 'PATCH' ? change : method === 'POST' ? {} : undefined;
        const response = await t.as(who, target, {
          method: method ?? 'GET',
          signal: ended.signal,
          ...(json === undefined ? {} : { json }),
        });
        assert.equal(response.status, expected[column], `${route} by ${actor}`);
        ended.abort();
      }
    }
  });
}

test('an app’s token of a visitor of a shared instance reads that instance and nothing of its owner’s', async () => {
  await using t = await startTestScheduler();
  const shared = await t.run(owner, { visibility: 'ALL_USERS' });
  const hidden = await t.run(owner);
  const token = viaApp(other, shared);
  assert.equal((await t.as(token, `/api/v1/instances/${shared}`)).status, 200);
  assert.equal((await t.as(token, `/api/v1/instances/${hidden}`)).status, 404);
  assert.equal((await t.as(token, `/api/v1/instances/${shared}/logs`)).status, 403);
});

test('a visitor owns what they run, but reads no logs, not even their own', async () => {
  await using t = await startTestScheduler();
  const id = await t.run(owner);
  const demoted = { ...owner, roles: ['visitor'] };
  assert.equal((await t.as(demoted, `/api/v1/instances/${id}`)).status, 200);
  assert.equal((await t.as(demoted, `/api/v1/instances/${id}/logs`)).status, 403);
  assert.equal((await t.as(demoted, `/api/v1/instances/${id}`, { method: 'DELETE' })).status, 204);
});

test('the router, and no other service, watches the routes', async () => {
  await using t = await startTestScheduler();
  const ended = new AbortController();
  const response = await t.as(router, '/internal/routes', { signal: ended.signal });
  assert.equal(response.status, 200);
  ended.abort();
  assert.equal((await t.as({ ...owner, party: router.party }, '/internal/routes')).status, 403);
});

test('who may open an instance’s own pages', () => {
  const subject = (name: keyof typeof people) => ({
    subject: people[name].subject,
    roles: people[name].roles,
  });
  // biome-ignore format: columns
  const table = [
    //              PRIVATE             ALL_USERS           PUBLIC
    ['owner',       'yes',              'yes',              'yes', subject('owner')],
    ['other',       'not_found',        'yes',              'yes', subject('other')],
    ['author',      'not_found',        'yes',              'yes', subject('author')],
    ['admin',       'not_found',        'yes',              'yes', subject('admin')],
    ['visitor',     'not_found',        'not_found',        'yes', subject('visitor')],
    ['nobody',      'sign_in_required', 'sign_in_required', 'yes', { roles: [] }],
    ['its app',     'yes',              'yes',              'yes', { ...subject('owner'), viaInstance: stranger }],
    ['another app', 'not_found',        'not_found',        'not_found', { ...subject('owner'), viaInstance: 'x' }],
  ] as const;
  for (const [who, ...cells] of table) {
    const [hidden, shared, open, actor] = cells;
    for (const [visibility, expected] of [
      ['PRIVATE', hidden],
      ['ALL_USERS', shared],
      ['PUBLIC', open],
    ] as const) {
      const decision = mayOpen({ instanceId: stranger, owner: owner.subject, visibility }, actor);
      assert.equal(decision.allowed ? 'yes' : decision.reason, expected, `${who} at ${visibility}`);
    }
  }
});
