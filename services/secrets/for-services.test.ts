import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { appParent, type SecretPlace } from './client.ts';
import { base64, startTestSecrets, type TestSecrets } from './testing.ts';

describe('secrets for other services', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startTestSecrets();
    world.workspaces.roles.set('workspaces/team', { ada: 'editor', vic: 'viewer' });
  });
  after(() => world?.stop());

  const by = { principal: 'users/ada', metadata: { instance: 'i1' } };
  const place = { parent: appParent('forecast'), id: 'database.main' };
  const uid = '5d1cf1f6-6c0d-4a5f-9d38-0d5ce1b0a001';
  const values = (entries: Record<string, string>) =>
    new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]));
  const listOf = (...parents: string[]) => ({ parents, query: '', after: undefined, limit: 100 });
  const texts = (opened: ReadonlyMap<string, Buffer>) =>
    Object.fromEntries([...opened].map(([key, value]) => [key, value.toString()]));

  it('keeps several values in one secret and gives those that are asked for', async () => {
    const { client } = world.secrets;
    assert.equal(await client.find(place), undefined);
    const kept = await client.make(place, values({ username: 'u', password: 'p', host: 'h' }), by, uid);
    assert.deepEqual(kept.keys, ['host', 'password', 'username']);
    assert.deepEqual(texts(await client.use(place, ['username', 'password', 'none'], by)), {
      ...{ username: 'u', password: 'p' },
    });
    assert.deepEqual(await client.find(place), kept);
  });

  it('replaces all values at once', async () => {
    const { client } = world.secrets;
    assert.equal(await client.replace({ ...place, id: 'none' }, values({ a: '1' }), by), undefined);
    await client.replace(place, values({ password: 'new' }), { principal: 'users/olga' });
    assert.deepEqual(texts(await client.use(place, ['username', 'password'], by)), { password: 'new' });
    const kept = await client.replace(place, values({ host: 'h2' }), by, ['password']);
    assert.deepEqual(kept?.keys, ['host', 'password']);
    assert.deepEqual(texts(await client.use(place, ['host', 'password'], by)), {
      host: 'h2',
      password: 'new',
    });
    await assert.rejects(client.replace(place, values({}), by, ['username']), { code: 'no_such_key' });
    await client.replace(place, values({}), { principal: 'users/olga' }, ['password']);
    const [listed, ...others] = await client.list(listOf(place.parent));
    assert.deepEqual(
      [listed?.keys, listed?.creator, listed?.changedBy, others],
      [['password'], 'users/ada', 'users/olga', []],
    );
  });

  it('makes a secret once, however often the same try asks for it', async () => {
    const { client } = world.secrets;
    const again = await client.make(place, values({ other: 'x' }), by, uid);
    assert.deepEqual([again.uid, again.keys], [uid, ['password']]);
    await assert.rejects(client.make(place, values({ other: 'x' }), by), { code: 'secret_exists' });
  });

  it('lists the secrets of several parents, and of all apps, page by page and by a word', async () => {
    const { client } = world.secrets;
    const ids = ['a', 'b', 'b.c', 'd'];
    for (const id of ids) {
      await client.make({ parent: 'workspaces/list-1', id }, values({ k: id }), by);
      await client.make({ parent: appParent('list'), id }, values({ k: id }), by);
    }
    await client.make({ parent: 'workspaces/list-2', id: 'z' }, values({}), by);
    const seen: string[] = [];
    let after: SecretPlace | undefined;
    do {
      const page = await client.list({
        ...listOf('workspaces/list-1', 'workspaces/list-2', 'app:'),
        after,
        limit: 2,
      });
      seen.push(...page.map(({ parent, id }) => `${parent} ${id}`));
      after = page.at(-1);
    } while (after !== undefined);
    const expected = ids.flatMap((id) => [`app:list ${id}`, `workspaces/list-1 ${id}`]);
    expected.splice(8, 0, 'app:forecast database.main');
    assert.deepEqual(seen, [...expected, 'workspaces/list-2 z']);
    const found = await client.list({ ...listOf('workspaces/list-1', 'workspaces/%'), query: 'b' });
    assert.deepEqual(
      found.map(({ id }) => id),
      ['b', 'b.c'],
    );
    assert.deepEqual(await client.list({ ...listOf('workspaces/list-1'), query: '%' }), []);
  });

  it('is out of reach of every address of the secure store', async () => {
    for (const at of [
      'app:forecast/secrets',
      'app%3Aforecast/secrets/database.main',
      'workspaces/app:forecast/secrets',
    ])
      assert.equal((await world.call('admin', 'GET', at)).status, 404, at);
  });

  it('uses what the secure store keeps, by the key value', async () => {
    await world.call('ada', 'POST', 'workspaces/team/secrets?secretId=plain', {});
    await world.call('ada', 'POST', 'workspaces/team/secrets/plain/versions', { value: base64('one') });
    const opened = await world.secrets.client.use({ parent: 'workspaces/team', id: 'plain' }, ['value'], by);
    assert.deepEqual(texts(opened), { value: 'one' });
  });

  it('has no single value to reveal where there are several', async () => {
    const several = { parent: 'workspaces/team', id: 'several' };
    await world.secrets.client.make(several, values({ a: '1', b: '2' }), by);
    const at = 'workspaces/team/secrets/several/versions/latest:revealValue';
    const { status, body } = await world.call('ada', 'GET', at);
    assert.deepEqual([status, body.code], [400, 9]);
    assert.match(body.message, /holds a, b/);
  });

  it('records who used what before it gives it, or gives nothing', async () => {
    world.audit.actions.length = 0;
    await world.secrets.client.use(place, ['password'], by);
    assert.deepEqual(world.audit.actions, [
      {
        ...{ action: 'actions/securestore/versions/USE', readOnly: true, principal: 'users/ada' },
        resource: '//secure-store/app:forecast/secrets/database.main/versions/v4',
        metadata: { instance: 'i1' },
      },
    ]);
    world.audit.away = true;
    await assert.rejects(world.secrets.client.use(place, ['password'], by), /cannot be written/);
    world.audit.away = false;
  });

  it('reveals all values, to the trail as what it is, or none', async () => {
    const { client } = world.secrets;
    world.audit.actions.length = 0;
    const reader = { principal: 'users/ada', sourceIpAddress: '192.0.2.7', userAgent: 'h2o' };
    assert.deepEqual(texts((await client.reveal(place, reader)) ?? new Map()), { password: 'new' });
    assert.deepEqual(world.audit.actions, [
      {
        ...{ action: 'actions/securestore/versions/REVEALVALUE', readOnly: true, ...reader },
        resource: '//secure-store/app:forecast/secrets/database.main/versions/v4',
      },
    ]);
    assert.equal(await client.reveal({ ...place, id: 'none' }, reader), undefined);
    world.audit.away = true;
    await assert.rejects(client.reveal(place, reader), /cannot be written/);
    world.audit.away = false;
  });

  it('gives nothing of what was deleted, until it is brought back or made anew', async () => {
    const { client } = world.secrets;
    assert.equal(await client.remove(place, by), true);
    assert.equal(await client.remove(place, by), false);
    assert.equal(await client.find(place), undefined);
    assert.equal((await client.use(place, ['password'], by)).size, 0);
    assert.equal(await client.reveal(place, by), undefined);
    assert.equal(await client.replace(place, values({ a: '1' }), by), undefined);
    assert.deepEqual(await client.list(listOf(place.parent)), []);
    assert.deepEqual((await client.restore(place, by))?.keys, ['password']);
    assert.equal(await client.restore(place, by), undefined, 'there is none to bring back');
    assert.deepEqual(texts(await client.use(place, ['password'], by)), { password: 'new' });
    await client.remove(place, by);
    assert.deepEqual((await client.make(place, values({ a: '1' }), by)).keys, ['a']);
    assert.deepEqual(texts(await client.use(place, ['password', 'a'], by)), { a: '1' });
  });

  it('refuses too much', async () => {
    const { client } = world.secrets;
    const many = values(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, ''])));
    const large = new Map([['a', Buffer.alloc(65_537)]]);
    const other = { ...place, id: 'other' };
    for (const each of [many, large])
      await assert.rejects(async () => client.make(other, each, by), { code: 'secret_too_large' });
  });
});
