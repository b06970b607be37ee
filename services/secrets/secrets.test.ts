import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { base64, startTestSecrets, type TestSecrets } from './testing.ts';

const day = 24 * 60 * 60 * 1000;

describe('secrets and their versions', () => {
  let world: TestSecrets;
  let ahead = 0;
  before(async () => {
    world = await startTestSecrets({ now: () => new Date(Date.now() + ahead) });
    world.workspaces.roles.set('workspaces/team', { ada: 'editor', vic: 'viewer', olga: 'owner' });
  });
  after(() => world?.stop());

  const create = (id: string, workspace = 'workspaces/team', token = 'ada') =>
    world.call(token, 'POST', `${workspace}/secrets?secretId=${id}`, {});
  const addVersion = (id: string, value: string, workspace = 'workspaces/team') =>
    world.call('ada', 'POST', `${workspace}/secrets/${id}/versions`, { value: base64(value) });
  const reveal = (id: string, version = 'latest', token = 'ada') =>
    world.call(token, 'GET', `workspaces/team/secrets/${id}/versions/${version}:revealValue`);

  it('answers a new secret with every field as the contract wants it', async () => {
    const { status, body } = await world.call('ada', 'POST', 'workspaces%2Fteam/secrets?secretId=whole', {
      displayName: 'Database',
      annotations: { owner: 'science' },
    });
    assert.equal(status, 200);
    const { createTime, uid, ...secret } = body.secret;
    assert.match(createTime, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(uid, /^[0-9a-f-]{36}$/);
    assert.deepEqual(secret, {
      name: 'workspaces/team/secrets/whole',
      state: 'STATE_ACTIVE',
      ...{ creator: 'users/ada', deleter: '', deleteTime: null, purgeTime: null },
      ...{ annotations: { owner: 'science' }, displayName: 'Database' },
    });
  });

  it('makes an id where none is asked for', async () => {
    const { body } = await world.call('ada', 'POST', 'workspaces/team/secrets?secretId=', {});
    assert.match(body.secret.name, /^workspaces\/team\/secrets\/[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
    assert.deepEqual(body.secret.annotations, {});
  });

  for (const id of ['Upper', '9first', '-first', 'last-', 'a_b', 'a.b', 'a'.repeat(64), 'a%20b', 'ä'])
    it(`refuses the id ${id.slice(0, 20)}`, async () => {
      const { status, body } = await create(id);
      assert.deepEqual([status, body.code], [400, 3], body.message);
    });
  it('takes the shortest and the longest id', async () => {
    for (const id of ['x', `a${'-'.repeat(61)}z`]) assert.equal((await create(id)).status, 200);
  });

  it('refuses an id that is taken, with 409 and code 6, one that is deleted, too', async () => {
    await create('taken');
    assert.deepEqual([(await create('taken')).status, (await create('taken')).body.code], [409, 6]);
    await world.call('ada', 'DELETE', 'workspaces/team/secrets/taken');
    assert.equal((await create('taken')).status, 409);
    assert.equal((await create('taken', 'workspaces/default')).status, 200);
  });

  it('gives one of many who ask for the same id at once the secret', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => create('raced')));
    assert.deepEqual(all.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409, 409, 409]);
    const [count] = await world.database.sql`
      select count(*)::int as keys from secrets.data_keys
      where not exists (select 1 from secrets.secrets where data_key = data_keys.id)`;
    assert.equal(count?.keys, 0, 'no data key is left behind');
  });

  it('answers by the workspace’s own name where it was asked by an alias', async () => {
    const { body } = await create('personal', 'workspaces/default');
    assert.equal(body.secret.name, 'workspaces/of-ada/secrets/personal');
    const got = await world.call('ada', 'GET', 'workspaces%2Fdefault%2Fsecrets%2Fpersonal');
    assert.equal(got.body.secret.name, 'workspaces/of-ada/secrets/personal');
    assert.equal((await world.call('vic', 'GET', 'workspaces/default/secrets/personal')).status, 404);
    assert.equal((await world.call('vic', 'GET', 'workspaces/of-ada/secrets/personal')).status, 404);
  });

  it('lists in pages, by id, with the total and an empty token at the end', async () => {
    world.workspaces.roles.set('workspaces/many', { ada: 'editor' });
    for (let number = 10; number < 75; number++) await create(`s${number}`, 'workspaces/many');
    const first = await world.call(
      'ada',
      'GET',
      'workspaces/many/secrets?pageSize=0&pageToken=&showDeleted=False',
    );
    assert.equal(first.body.secrets.length, 50);
    assert.equal(first.body.totalSize, 65);
    const rest = await world.call(
      'ada',
      'GET',
      `workspaces/many/secrets?pageSize=1000000&pageToken=${first.body.nextPageToken}`,
    );
    assert.equal(rest.body.secrets.length, 15);
    assert.equal(rest.body.nextPageToken, '');
    const names = [...first.body.secrets, ...rest.body.secrets].map(({ name }) => name);
    assert.deepEqual(names, names.toSorted());
    assert.equal(new Set(names).size, 65);
  });

  it('answers an empty list as a list', async () => {
    const { text } = await world.call('olga', 'GET', 'workspaces/default/secrets');
    assert.deepEqual(JSON.parse(text), { secrets: [], nextPageToken: '', totalSize: 0 });
    await create('versionless');
    const { body } = await world.call('ada', 'GET', 'workspaces/team/secrets/versionless/versions');
    assert.deepEqual(body, { secretVersions: [], nextPageToken: '', totalSize: 0 });
  });

  for (const query of ['pageSize=-1', 'pageToken=x', 'pageToken=WzFd', `pageToken=${btoa('["a","b"]')}`])
    it(`refuses ${query}`, async () => {
      const { status, body } = await world.call('ada', 'GET', `workspaces/team/secrets?${query}`);
      assert.deepEqual([status, body.code], [400, 3]);
    });

  it('keeps versions, never answers their value but when it is revealed, and knows the latest', async () => {
    await create('db');
    const one = await addVersion('db', 'first');
    assert.equal(one.status, 200);
    const { createTime, uid, ...version } = one.body.secretVersion;
    assert.ok(createTime && uid);
    assert.deepEqual(version, {
      name: 'workspaces/team/secrets/db/versions/v1',
      ...{ value: '', creator: 'users/ada' },
    });
    await addVersion('db', 'second');
    const latest = await world.call('ada', 'GET', 'workspaces/team/secrets/db/versions/latest');
    assert.equal(latest.body.secretVersion.name, 'workspaces/team/secrets/db/versions/v2');
    assert.deepEqual((await reveal('db')).body, {
      name: 'workspaces/team/secrets/db/versions/v2',
      value: base64('second'),
    });
    assert.equal((await reveal('db', 'v1')).body.value, base64('first'));
    const { body } = await world.call('ada', 'GET', 'workspaces/team/secrets/db/versions?pageSize=1');
    assert.deepEqual([body.secretVersions[0].name.at(-1), body.totalSize], ['2', 2]);
    const rest = await world.call(
      'ada',
      'GET',
      `workspaces/team/secrets/db/versions?pageToken=${body.nextPageToken}`,
    );
    assert.deepEqual([rest.body.secretVersions.length, rest.body.nextPageToken], [1, '']);
    for (const text of [latest.text, rest.text]) assert.doesNotMatch(text, /Zmlyc3|c2Vjb25k/);
  });

  it('numbers versions that are made at once', async () => {
    await create('busy');
    await Promise.all(Array.from({ length: 6 }, (_, index) => addVersion('busy', `value ${index}`)));
    const { body } = await world.call('ada', 'GET', 'workspaces/team/secrets/busy/versions');
    assert.deepEqual(
      body.secretVersions.map(({ name }: { name: string }) => name.split('/').at(-1)),
      ['v6', 'v5', 'v4', 'v3', 'v2', 'v1'],
    );
  });

  it('takes 64 KiB and not a byte more, and gives back every byte', async () => {
    await create('large');
    const value = Buffer.from(Array.from({ length: 65_536 }, (_, at) => at % 256)).toString('base64');
    const url = 'workspaces/team/secrets/large/versions';
    assert.equal((await world.call('ada', 'POST', url, { value })).status, 200);
    assert.equal((await reveal('large')).body.value, value);
    const larger = Buffer.alloc(65_537).toString('base64');
    const { status, body } = await world.call('ada', 'POST', url, { value: larger });
    assert.deepEqual([status, body.code], [400, 3]);
    assert.match(body.message, /64 KiB.*65537 bytes/);
  });

  it('keeps the versions of a deleted secret to itself until it is undeleted', async () => {
    await create('gone');
    await addVersion('gone', 'still there');
    const deleted = await world.call('ada', 'DELETE', 'workspaces/team/secrets/gone');
    const { state, deleter, deleteTime, purgeTime } = deleted.body.secret;
    assert.deepEqual([state, deleter], ['STATE_DELETED', 'users/ada']);
    assert.equal(Date.parse(purgeTime) - Date.parse(deleteTime), 30 * day);
    for (const [method, at] of [
      ['GET', 'gone/versions'],
      ['GET', 'gone/versions/latest'],
      ['GET', 'gone/versions/v1:revealValue'],
      ['POST', 'gone/versions'],
    ] as const) {
      const { status, body } = await world.call(
        'ada',
        method,
        `workspaces/team/secrets/${at}`,
        method === 'GET' ? undefined : {},
      );
      assert.deepEqual([status, body.code], [400, 9], `${method} ${at}: ${body.message}`);
    }
    const names = async (query: string) =>
      (await world.call('ada', 'GET', `workspaces/team/secrets?pageSize=1000&${query}`)).body.secrets.map(
        ({ name }: { name: string }) => name,
      );
    const total = async (query: string) =>
      (await world.call('ada', 'GET', `workspaces/team/secrets?pageSize=1&${query}`)).body.totalSize;
    assert.ok(!(await names('')).includes('workspaces/team/secrets/gone'));
    assert.ok((await names('showDeleted=True')).includes('workspaces/team/secrets/gone'));
    for (const query of ['', 'showDeleted=True'])
      assert.equal(await total(query), (await names(query)).length, `all that ${query || 'the list'} has`);
    assert.equal(
      (await world.call('ada', 'GET', 'workspaces/team/secrets/gone')).body.secret.state,
      'STATE_DELETED',
    );
    const back = await world.call('ada', 'POST', 'workspaces/team/secrets/gone:undelete', {});
    assert.deepEqual(
      [back.body.secret.state, back.body.secret.deleteTime, back.body.secret.purgeTime],
      ['STATE_ACTIVE', null, null],
    );
    assert.equal((await reveal('gone')).body.value, base64('still there'));
  });

  it('purges what was deleted thirty days ago, with its data key, and nothing else', async () => {
    const keys = async () =>
      Number((await world.database.sql`select count(*) as n from secrets.data_keys`)[0]?.n);
    await create('purged');
    await addVersion('purged', 'x');
    await world.call('ada', 'DELETE', 'workspaces/team/secrets/purged');
    const before = await keys();
    await world.secrets.sweep();
    assert.equal(await keys(), before);
    ahead = 30 * day + 1000;
    try {
      const late = await world.call('ada', 'POST', 'workspaces/team/secrets/purged:undelete', {});
      assert.equal(late.status, 404);
      await world.secrets.sweep();
    } finally {
      ahead = 0;
    }
    assert.ok((await keys()) < before);
    assert.equal((await world.call('ada', 'GET', 'workspaces/team/secrets/purged')).status, 404);
    assert.equal((await create('purged')).status, 200);
    assert.equal((await reveal('db')).status, 200);
  });

  it('refuses names that are none, and versions that do not exist', async () => {
    for (const version of ['v0', 'v3', '1', 'v99999999999', 'V1', 'newest'])
      assert.equal((await reveal('db', version)).status, 404, version);
    assert.equal((await reveal('versionless')).status, 404);
    assert.equal((await reveal('nothing')).status, 404);
    assert.equal((await world.call('ada', 'GET', 'workspaces/nowhere/secrets')).status, 404);
  });

  it('refuses what cannot be kept as a description', async () => {
    const bad = [
      { displayName: 'x'.repeat(201) },
      { displayName: 'two\nlines' },
      { annotations: { '': 'x' } },
      { annotations: { x: 'a\u0000b' } },
      { annotations: { x: 'y'.repeat(17_000) } },
      { annotations: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, ''])) },
    ];
    for (const [index, secret] of bad.entries()) {
      const { status, body } = await world.call(
        'ada',
        'POST',
        `workspaces/team/secrets?secretId=bad${index}`,
        secret,
      );
      assert.deepEqual([status, body.code], [400, 3], body.message);
    }
  });

  it('ignores what clients send of fields that are not theirs to set', async () => {
    const { body } = await world.call('ada', 'POST', 'workspaces/team/secrets?secretId=posing', {
      ...{ name: 'workspaces/other/secrets/x', state: 'STATE_DELETED', creator: 'users/eve' },
      ...{ uid: 'x', deleteTime: '2020-01-01T00:00:00Z' },
    });
    const { name, state, creator, deleteTime } = body.secret;
    assert.deepEqual(
      [name, state, creator, deleteTime],
      ['workspaces/team/secrets/posing', 'STATE_ACTIVE', 'users/ada', null],
    );
  });
});
