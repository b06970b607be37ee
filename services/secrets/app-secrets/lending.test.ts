import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unavailable } from '@haic/kit/errors.ts';
import type { WorkspaceActor } from '@haic/services/workspaces/client.ts';
import type { AppOfSecrets, SecretReference } from './client.ts';
import { type LendingDecision, type LentFrom, mayLend, mayUse } from './policy.ts';
import { actor, exampleAppSecrets, globalWorkspace } from './testing.ts';

const ada = actor('ada');
const ben = actor('ben');
const root = actor('root', 'user', 'admin');
const team = 'workspaces/team';

const appOf = (importer: WorkspaceActor, more: Partial<AppOfSecrets> = {}): AppOfSecrets => ({
  name: 'ai.example.app',
  importer,
  isImporters: true,
  ...more,
});
const ref = (secret: string, key = 'k'): SecretReference => ({ secret, key });

describe('what an app may be lent', () => {
  const inTeam = (importerRole?: 'viewer' | 'editor' | 'admin' | 'owner', userRole?: 'viewer'): LentFrom => ({
    kind: 'WORKSPACE',
    importerRole,
    userRole,
  });
  const word = (decision: LendingDecision) => (typeof decision === 'string' ? decision : 'refused');
  // biome-ignore format: columns
  const table: readonly (readonly [from: LentFrom, importerIsAdmin: boolean, isImporters: boolean, lend: string, use: string])[] = [
    // An importer's own goes with their app as long as it is theirs.
    [{ kind: 'PRIVATE' },   false, true,  'yes',     'yes'],
    [{ kind: 'PRIVATE' },   false, false, 'refused', 'yes'],
    [{ kind: 'PRIVATE' },   true,  false, 'refused', 'yes'],
    // What is for everybody's apps is for any.
    [{ kind: 'ALL_USERS' }, false, true,  'yes',     'yes'],
    [{ kind: 'ALL_USERS' }, false, false, 'yes',     'yes'],
    // An app's own, of which nobody but administrators may know.
    [{ kind: 'APP' },       true,  true,  'yes',     'yes'],
    [{ kind: 'APP' },       true,  false, 'yes',     'yes'],
    [{ kind: 'APP' },       false, true,  'hidden',  'yes'],
    // Reading is for editors and above, using for viewers; administrators of Haic are nothing there.
    [inTeam('owner', 'viewer'),  false, true,  'yes',     'yes'],
    [inTeam('admin', 'viewer'),  false, true,  'yes',     'yes'],
    [inTeam('editor', 'viewer'), false, true,  'yes',     'yes'],
    [inTeam('editor'),           false, true,  'yes',     'refused'],
    [inTeam('editor', 'viewer'), false, false, 'refused', 'yes'],
    [inTeam('viewer', 'viewer'), false, true,  'refused', 'yes'],
    [inTeam('viewer', 'viewer'), true,  true,  'refused', 'yes'],
    [inTeam(undefined, 'viewer'), true, true,  'hidden',  'yes'],
  ];
  for (const [from, importerIsAdmin, isImporters, lend, use] of table)
    it(`${JSON.stringify(from)}, ${importerIsAdmin ? 'an administrator' : 'somebody'} with ${isImporters ? 'an app of theirs' : 'an app given away'}: ${lend}, ${use}`, () => {
      const lending = { from, importerIsAdmin, isImporters };
      assert.deepEqual([word(mayLend(lending)), word(mayUse(lending))], [lend, use]);
    });
});

describe('the secrets of an app', () => {
  it('are looked up nearest first: one’s own, the app’s, everybody’s', async () => {
    const { client, store, workspaces } = exampleAppSecrets();
    const read = async (app: AppOfSecrets, secret = 'db') => {
      const [one] = await client.use({ app: { ...app, id: 'a' }, instanceId: 'i', user: ada }, [ref(secret)]);
      return one !== undefined && 'value' in one ? Buffer.from(one.value).toString() : one?.lack.code;
    };
    assert.equal(await read(appOf(root)), 'secret_missing');
    store.put(globalWorkspace, 'db', { k: 'everybody’s' });
    assert.equal(await read(appOf(root)), 'everybody’s');
    store.put('app:ai.example.app', 'db', { k: 'the app’s' });
    assert.equal(await read(appOf(root)), 'the app’s');
    assert.equal(await read(appOf(ada)), 'everybody’s', 'an app of this name is anybody’s to import');
    assert.equal(await read(appOf(root, { name: 'another' })), 'everybody’s');
    store.put(workspaces.personalOf('sub-root'), 'db', { k: 'root’s' });
    assert.equal(await read(appOf(root)), 'root’s');
    assert.equal(await read(appOf(ada)), 'everybody’s');
    assert.equal(await read(appOf(root), 'workspaces/default/secrets/db'), 'root’s');
    assert.equal(await read(appOf(root), 'workspaces/global/secrets/db'), 'everybody’s');
    assert.equal(await read(appOf(root), `${globalWorkspace}/secrets/db`), 'everybody’s');
    assert.equal(await read(appOf(ada), `${workspaces.personalOf('sub-root')}/secrets/db`), 'secret_missing');
    assert.equal(store.uses.length, 9);
  });

  it('of a workspace are put into apps by its editors and used by its viewers', async () => {
    const { client, store, workspaces } = exampleAppSecrets();
    const secret = `${team}/secrets/db`;
    const lacks = async (importer: WorkspaceActor, user: WorkspaceActor) =>
      (await client.examine(appOf(importer), [ref(secret)], user))[0];
    workspaces.members.set(team, new Map());
    store.put(team, 'db', { k: 'v' });
    assert.equal(
      (await lacks(ada, ada))?.code,
      'secret_missing',
      'nobody learns that there is such a workspace',
    );
    assert.equal((await lacks(root, root))?.code, 'secret_missing');

    const members = workspaces.members.get(team);
    members?.set('sub-ada', 'viewer');
    const refused = await lacks(ada, ada);
    assert.equal(refused?.code, 'secret_refused');
    assert.match(refused?.message ?? '', /viewer of the workspace and may not read/);
    members?.set('sub-ada', 'editor');
    assert.equal(await lacks(ada, ada), undefined);
    assert.match((await lacks(ada, ben))?.message ?? '', /Only members/);
    members?.set('sub-ben', 'viewer');
    assert.equal(await lacks(ada, ben), undefined);
    members?.delete('sub-ada');
    assert.equal((await lacks(ada, ben))?.code, 'secret_missing', 'who left lends nothing any more');
  });

  it('are taken from the store once each, with what the trail needs to tell who used what for which instance', async () => {
    const { client, store, workspaces } = exampleAppSecrets();
    store.put(workspaces.personalOf('sub-ada'), 'db', { k: 'canary', other: 'x' });
    const use = { app: { ...appOf(ada), id: 'app-id' }, instanceId: 'instance-id', user: ben };
    const outcomes = await client.use(use, [
      ref('db'),
      ref('db', 'other'),
      ref('db', 'none'),
      ref('nothing'),
    ]);
    assert.deepEqual(
      outcomes.map((one) => ('value' in one ? Buffer.from(one.value).toString() : one.lack.code)),
      ['canary', 'x', 'secret_key_missing', 'secret_missing'],
    );
    assert.deepEqual(store.uses, [
      {
        place: { parent: workspaces.personalOf('sub-ada'), id: 'db' },
        keys: ['k', 'other'],
        by: {
          principal: 'users/sub-ben',
          metadata: {
            app: 'ai.example.app',
            app_id: 'app-id',
            instance: 'instance-id',
            keys: 'k,other',
            importer: 'ada',
          },
        },
      },
    ]);
  });

  it('cannot be told while the store is away, and nothing of its trouble is', async () => {
    const { client, store } = exampleAppSecrets();
    store.down = new Error('password authentication failed for canary');
    const asked = client.examine(appOf(ada), [ref('db')]);
    await assert.rejects(asked, (error: Error) => {
      assert.match(error.message, /cannot be read just now/);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
    store.down = unavailable('database_unavailable', 'The database of Haic cannot be reached.');
    await assert.rejects(client.examine(appOf(ada), [ref('db')]), { code: 'database_unavailable' });
  });

  it('are nothing for a name that is none', async () => {
    const { client } = exampleAppSecrets();
    for (const secret of [
      '',
      'A',
      '../x',
      'workspaces//secrets/x',
      'workspaces/a/secrets/',
      'app:x/secrets/y',
    ])
      assert.equal((await client.examine(appOf(root), [ref(secret)]))[0]?.code, 'secret_missing', secret);
  });
});
