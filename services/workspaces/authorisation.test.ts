import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const admin = { roles: 'admin' };

/** Who asks. `group` is a viewer by a group of the token; `machine` a service account, which edits; `app` acts for the owner. */
const actors = {
  owner: tokenOf('ada'),
  admin: tokenOf('bob'),
  editor: tokenOf('cleo'),
  viewer: tokenOf('dan'),
  group: tokenOf('gil', { groups: 'red' }),
  machine: tokenOf('ci', { kind: 'service-account' }),
  other: tokenOf('eve'),
  'other machine': tokenOf('cd', { kind: 'service-account' }),
  visitor: tokenOf('vic', { roles: 'visitor' }),
  'nobody special': tokenOf('vic', { roles: '' }),
  platform: tokenOf('root', admin),
  app: tokenOf('ada', { kind: 'app' }),
  "platform's app": tokenOf('root', { ...admin, kind: 'app' }),
  service: tokenOf('core', { ...admin, kind: 'service' }),
  none: '',
} as const;
type Row = readonly [method: string, path: string, body: unknown, expected: string];

const member = (who: string, role: string) => ({ member: `users/sub-${who}`, role });

/**
 * Who may what (security 4 and 20), written by hand and not made from the code. Statuses in the order of `actors`. A deed that an app, or a part
 * of the platform, may not do at all is 403 before anything is looked up; what one may not know of is 404.
 */
// biome-ignore format: columns
const rows: readonly Row[] = [
  //                                                                                   own adm edi vie gro mac oth mac vis nob pla app p.a ser non
  ['GET',    '/v1/{shared}', undefined,                                               '200 200 200 200 200 200 404 404 404 404 200 200 404 403 401'],
  ['PATCH',  '/v1/{shared}?updateMask=description', { description: 'x' },             '200 200 403 403 403 403 404 404 404 404 403 200 404 403 401'],
  ['DELETE', '/v1/{shared}', undefined,                                               '200 403 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['POST',   '/v1/{shared}:undelete', {},                                             '409 403 403 403 403 403 404 404 404 404 409 403 403 403 401'],
  ['POST',   '/v1/{shared}:leave', {},                                                '409 200 200 200 409 200 404 404 404 404 404 403 403 403 401'],
  ['POST',   '/v1/{shared}:assignOwner', { owner: 'users/sub-eve' },                  '403 403 403 403 403 403 403 403 403 403 409 403 403 403 401'],
  ['GET',    '/v1/{shared}/members', undefined,                                       '200 200 200 200 200 200 404 404 404 404 200 200 404 403 401'],
  ['POST',   '/v1/{shared}/members', member('eve', 'ROLE_VIEWER'),                    '200 200 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['POST',   '/v1/{shared}/members', member('eve', 'ROLE_OWNER'),                     '200 403 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['POST',   '/v1/{shared}/members', member('unknown', 'ROLE_VIEWER'),                '400 400 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['PATCH',  '/v1/{viewer}', { role: 'ROLE_EDITOR' },                                 '200 200 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['PATCH',  '/v1/{owner}', { role: 'ROLE_EDITOR' },                                  '409 403 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['DELETE', '/v1/{viewer}', undefined,                                               '200 200 403 403 403 403 404 404 404 404 403 403 403 403 401'],
  ['DELETE', '/v1/{noMember}', undefined,                                             '404 404 403 403 403 403 404 404 404 404 403 403 403 403 401'],

  // Deleted: there for who can restore it. An app neither deletes nor restores.
  ['GET',    '/v1/{deleted}', undefined,                                              '200 404 404 404 404 404 404 404 404 404 200 200 404 403 401'],
  ['PATCH',  '/v1/{deleted}?updateMask=description', { description: 'x' },            '409 404 404 404 404 404 404 404 404 404 409 409 404 403 401'],
  ['DELETE', '/v1/{deleted}', undefined,                                              '409 404 404 404 404 404 404 404 404 404 409 403 403 403 401'],
  ['POST',   '/v1/{deleted}:undelete', {},                                            '200 404 404 404 404 404 404 404 404 404 200 403 403 403 401'],
  ['POST',   '/v1/{deleted}:leave', {},                                               '409 404 404 404 404 404 404 404 404 404 404 403 403 403 401'],
  ['GET',    '/v1/{deleted}/members', undefined,                                      '200 404 404 404 404 404 404 404 404 404 200 200 404 403 401'],
  ['POST',   '/v1/{deleted}/members', member('eve', 'ROLE_VIEWER'),                   '409 404 404 404 404 404 404 404 404 404 409 403 403 403 401'],

  // The personal one of the owner. Whose it is, is all that an administrator of the platform learns.
  ['GET',    '/v1/{personal}', undefined,                                             '200 404 404 404 404 404 404 404 404 404 200 200 404 403 401'],
  ['PATCH',  '/v1/{personal}?updateMask=description', { description: 'x' },           '200 404 404 404 404 404 404 404 404 404 403 200 404 403 401'],
  ['DELETE', '/v1/{personal}', undefined,                                             '409 404 404 404 404 404 404 404 404 404 409 403 403 403 401'],
  ['POST',   '/v1/{personal}:leave', {},                                              '409 404 404 404 404 404 404 404 404 404 404 403 403 403 401'],
  ['POST',   '/v1/{personal}/members', member('eve', 'ROLE_VIEWER'),                  '409 404 404 404 404 404 404 404 404 404 409 403 403 403 401'],
  ['GET',    '/v1/workspaces/default', undefined,                                     '200 200 200 200 200 200 200 200 404 404 200 200 200 403 401'],

  // Everybody's: viewed by all with full access, looked after by administrators of the platform, and by no app of theirs.
  ['GET',    '/v1/workspaces/global', undefined,                                      '200 200 200 200 200 200 200 200 404 404 200 200 200 403 401'],
  ['PATCH',  '/v1/workspaces/global?updateMask=description', { description: 'x' },    '403 403 403 403 403 403 403 403 404 404 200 403 403 403 401'],
  ['DELETE', '/v1/workspaces/global', undefined,                                      '409 409 409 409 409 409 409 409 404 404 409 403 403 403 401'],
  ['POST',   '/v1/workspaces/global:leave', {},                                       '409 409 409 409 409 409 409 409 404 404 409 403 403 403 401'],
  ['GET',    '/v1/workspaces/global/members', undefined,                              '200 200 200 200 200 200 200 200 404 404 200 200 200 403 401'],
  ['POST',   '/v1/workspaces/global/members', member('fay', 'ROLE_EDITOR'),           '403 403 403 403 403 403 403 403 404 404 200 403 403 403 401'],
  ['POST',   '/v1/workspaces/global:assignOwner', { owner: 'users/sub-eve' },         '403 403 403 403 403 403 403 403 403 403 409 403 403 403 401'],

  // Made by whoever has full access, and by their apps, since the models that an app makes need one.
  ['POST',   '/v1/workspaces', { displayName: 'New' },                                '200 200 200 200 200 200 200 200 403 403 200 200 200 403 401'],
  ['GET',    '/v1/workspaces', undefined,                                             '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['GET',    '/v1/workspaces:count', undefined,                                       '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['GET',    '/v1/workspaces?showAll=true', undefined,                                '403 403 403 403 403 403 403 403 403 403 200 403 403 403 401'],
  ['GET',    '/v1/workspaces:count?showAll=true', undefined,                          '403 403 403 403 403 403 403 403 403 403 200 403 403 403 401'],

  // Names to share with; a visitor shares nothing.
  ['GET',    '/v1/users/sub-ada', undefined,                                          '200 200 200 200 200 200 200 200 404 404 200 200 200 403 401'],
  ['GET',    '/v1/users/sub-vic', undefined,                                          '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['GET',    '/v1/users', undefined,                                                  '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['GET',    '/v1/groups', undefined,                                                 '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['GET',    '/mlops/me', undefined,                                                  '200 200 200 200 200 200 200 200 200 200 200 200 200 403 401'],
  ['POST',   '/internal/workspaces/of', { actor: { subject: 'x', username: 'x', roles: [], groups: [] } },
                                                                                      '403 403 403 403 403 403 403 403 403 403 403 403 403 200 401'],
];

describe('who may what with workspaces', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
    for (const name of ['ci', 'cd', 'eve', 'fay', 'gil']) world.addPerson(name);
  });
  after(() => world.stop());

  const members = {
    'users/sub-bob': 'ROLE_ADMIN',
    'users/sub-cleo': 'ROLE_EDITOR',
    'users/sub-dan': 'ROLE_VIEWER',
    'users/sub-ci': 'ROLE_EDITOR',
    'groups/red': 'ROLE_VIEWER',
  };

  /** A workspace of its own for each try, because those that succeed change it. */
  async function place(path: string): Promise<string> {
    const used = /\{(\w+)\}/.exec(path)?.[1];
    if (used === undefined) return path;
    if (used === 'personal') {
      const { json } = await world.call('GET', '/v1/workspaces/default', actors.owner);
      return path.replace('{personal}', json.workspace.name);
    }
    const name = await world.make('ada', members);
    if (used === 'deleted') await world.call('DELETE', `/v1/${name}`, actors.owner);
    const memberOf = async (who: string) => (await world.memberNamed(name, who, actors.owner)).name;
    const names: Readonly<Record<string, () => Promise<string>>> = {
      viewer: () => memberOf('users/sub-dan'),
      owner: () => memberOf('users/sub-ada'),
      noMember: async () => `${name}/members/00000000-0000-4000-8000-000000000009`,
    };
    return path.replace(`{${used}}`, (await names[used]?.()) ?? name);
  }

  for (const [method, path, body, expected] of rows)
    it(`${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, async () => {
      const said: string[] = [];
      for (const token of Object.values(actors)) {
        const { status } = await world.call(method, await place(path), token, body);
        if (path === '/v1/workspaces/global/members' && method === 'POST' && status === 200)
          await world.call('DELETE', `/v1/${await faysPlace()}`, actors.platform);
        said.push(String(status));
      }
      const wanted = expected.split(' ');
      const wrong = Object.keys(actors).flatMap((who, at) =>
        said[at] === wanted[at] ? [] : [`${who}: ${said[at]}, not ${wanted[at]}`],
      );
      assert.deepEqual(wrong, []);
    });

  const faysPlace = async () =>
    (await world.memberNamed('workspaces/global', 'users/sub-fay', actors.platform)).name;

  it('tells e-mail addresses to who has them and to administrators, and to no app of theirs', async () => {
    const emails = async (token: string) =>
      (await world.call('GET', '/v1/users/sub-ada', token)).json.user.emails.map((email) => email.address);
    const own = ['ada@example.com'];
    assert.deepEqual(
      [await emails(actors.owner), await emails(actors.platform), await emails(actors.other)],
      [own, own, []],
    );
    assert.deepEqual(await emails(actors["platform's app"]), []);
    const listed = (await world.call('GET', '/v1/users?pageSize=1000', actors.other)).json.users;
    assert.ok(listed.every((user) => user.emails.length === 0 || user.name === 'users/sub-eve'));
    const seen = (await world.call('GET', '/v1/users', actors.visitor)).json.users;
    assert.deepEqual(
      seen.map((user: { name: string }) => user.name),
      ['users/sub-vic'],
    );
    assert.deepEqual((await world.call('GET', '/v1/groups', actors.visitor)).json.groups, []);
  });

  it('names users and groups in pages, by part of a name', async () => {
    const names = async (query: string) => {
      const found: string[] = [];
      let pageToken = '';
      do {
        const { json } = await world.call('GET', `${query}&pageSize=2&pageToken=${pageToken}`, actors.owner);
        const items = json.users ?? json.groups;
        assert.ok(items.length <= 2 && found.length < 30, 'in pages that end');
        found.push(...items.map((item: { name: string }) => item.name.replace(/^users\/sub-/, '')));
        pageToken = json.nextPageToken;
      } while (pageToken !== '');
      return found;
    };
    assert.deepEqual((await names('/v1/users?filter=')).slice(0, 4), ['ada', 'bob', 'cd', 'ci']);
    assert.deepEqual(await names('/v1/users?filter=c'), ['cd', 'ci', 'cleo', 'vic']);
    assert.deepEqual(await names('/v1/groups?filter='), ['groups/blue', 'groups/red']);
  });
});
