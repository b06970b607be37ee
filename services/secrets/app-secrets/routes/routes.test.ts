import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Answer, appNaming, startTestSecretsOfApps, type TestSecretsOfApps } from '../testing-server.ts';

const ada = 'ada/user';
const ben = 'ben/user';
const root = 'root/user+admin';
const vic = 'vic/visitor';
const canary = 'canary-5f0c-value';

describe('the secrets of the App Store', () => {
  let world: TestSecretsOfApps;
  before(async () => {
    world = await startTestSecretsOfApps();
  });
  after(() => world?.stop());
  beforeEach(() => {
    world.apps.length = 0;
    world.rechecked.length = 0;
    world.trail.actions.length = 0;
  });
  const create = (token: string, name: string, more: object = {}) =>
    world.call(token, 'POST', '', { name, values: { k: canary }, ...more });
  const names = async (token: string, query = '') => {
    const { status, json } = await world.call(token, 'GET', query);
    assert.equal(status, 200);
    return (json.items as { name: string; visibility: string }[]).map(
      (one) => `${one.visibility} ${one.name}`,
    );
  };

  it('are created, and their keys shown without a value', async () => {
    const { status, json, text } = await create(ada, 'db.main', { values: { user: 'u', password: canary } });
    assert.equal(status, 201, text);
    const { createdAt, updatedAt, ...rest } = json;
    assert.ok(Date.parse(createdAt) <= Date.parse(updatedAt));
    assert.deepEqual(rest, {
      ...{ name: 'db.main', visibility: 'PRIVATE', parent: '', keys: ['password', 'user'] },
      ...{
        owner: { subject: 'sub-ada', username: 'ada' },
        updatedBy: 'ada',
        canChange: true,
        canReveal: true,
      },
    });
    assert.doesNotMatch(text, /canary/);
    const seen = await world.call(ada, 'GET', '/db.main');
    assert.deepEqual([seen.json.keys, seen.json.usedBy], [['password', 'user'], { apps: [], others: 0 }]);
    assert.doesNotMatch(seen.text, /canary/);
    assert.equal((await create(ada, 'db.main')).json.code, 'secret_exists');
    assert.equal((await create(ben, 'db.main')).status, 201, 'a name is one’s own');
  });

  it('are shown to who keeps them, once the trail has it', async () => {
    await create(ada, 'shown', { values: { text: canary, empty: '', bytes: { base64: '/wA=' } } });
    world.trail.actions.length = 0;
    const { status, json, headers } = await world.call(ada, 'POST', '/shown/reveal');
    assert.equal(status, 200);
    assert.deepEqual(json.values, { text: canary, empty: '', bytes: { base64: '/wA=' } });
    assert.equal(headers['cache-control'], 'no-store');
    assert.deepEqual(
      world.trail.actions.map(({ action, principal, sourceIpAddress }) => [
        action,
        principal,
        sourceIpAddress,
      ]),
      [['actions/securestore/versions/REVEALVALUE', 'users/sub-ada', '127.0.0.1']],
    );
    world.trail.down = true;
    const refused = await world.call(ada, 'POST', '/shown/reveal');
    world.trail.down = false;
    assert.equal(refused.status, 500);
    assert.doesNotMatch(refused.text, /canary/);
    assert.equal((await world.call(ben, 'POST', '/shown/reveal')).status, 404);
  });

  it('have the trail hear of every reading and every change that is refused, and why', async () => {
    await create(ada, 'guarded');
    await create(root, 'for-all', { visibility: 'ALL_USERS' });
    const heard = () =>
      world.trail.actions.map(({ principal, action, resource, requestParameters, status }) => [
        `${principal} ${action.replace('actions/securestore/', '')} ${resource} ${status?.code}`,
        requestParameters,
      ]);
    const values = { k: canary };
    for (const [token, method, at, body, status, said] of [
      [ben, 'POST', '/guarded/reveal', undefined, 404, 'users/sub-ben versions/REVEALVALUE {guarded} 5'],
      [ada, 'POST', '/for-all/reveal', undefined, 403, 'users/sub-ada versions/REVEALVALUE {for-all} 7'],
      ['', 'POST', '/guarded/reveal', undefined, 401, 'users/unknown versions/REVEALVALUE {guarded} 16'],
      [vic, 'POST', '/guarded/reveal', undefined, 403, 'users/sub-vic versions/REVEALVALUE {guarded} 7'],
      [ada, 'PUT', '/for-all', { values }, 403, 'users/sub-ada versions/CREATE {for-all} 7'],
      [ada, 'PUT', '/guarded', { canary }, 400, 'users/sub-ada versions/CREATE {guarded} 3'],
      [ben, 'DELETE', '/guarded', undefined, 404, 'users/sub-ben secrets/DELETE {guarded} 5'],
      [ada, 'POST', '/nothing/restore', undefined, 404, 'users/sub-ada secrets/UNDELETE {nothing} 5'],
      [ada, 'POST', '', { name: 'guarded', values }, 409, 'users/sub-ada secrets/CREATE {} 6'],
      [vic, 'GET', '/guarded', undefined, 403, 'users/sub-vic secrets/GET {guarded} 7'],
      ['', 'GET', '', undefined, 401, 'users/unknown secrets/LIST {} 16'],
    ] as const) {
      world.trail.actions.length = 0;
      const where = `${method} ${at} ${token}`;
      assert.equal((await world.call(token, method, at, body)).status, status, where);
      const told = said
        .replace('{}', '//secure-store/secrets')
        .replace(/\{(.+)\}/, '//secure-store/secrets/$1');
      assert.deepEqual(heard(), [[told, {}]], where);
      assert.ok(!JSON.stringify(world.trail.actions).includes(canary), where);
    }
    world.trail.actions.length = 0;
    await world.call(ada, 'POST', '/nothing/reveal?visibility=APP&parent=app:ai.example.app');
    assert.deepEqual(heard()[0]?.[1], { visibility: 'APP', parent: 'app:ai.example.app' });
    world.trail.actions.length = 0;
    assert.equal((await world.call(ben, 'GET', '/guarded')).status, 404);
    assert.deepEqual(heard(), [], 'who looks for what is not there is nothing to tell');
  });

  it('get all their keys replaced at once', async () => {
    await create(ada, 'changed', { values: { old: 'x', kept: 'x' } });
    const { status, json } = await world.call(ada, 'PUT', '/changed', {
      values: { kept: canary, more: 'y' },
    });
    assert.deepEqual([status, json.keys], [200, ['kept', 'more']]);
    assert.deepEqual((await world.call(ada, 'POST', '/changed/reveal')).json.values, {
      kept: canary,
      more: 'y',
    });
    const some = await world.call(ada, 'PUT', '/changed', { values: { more: 'z' }, keep: ['kept'] });
    assert.deepEqual([some.status, some.json.keys], [200, ['kept', 'more']]);
    assert.deepEqual((await world.call(ada, 'POST', '/changed/reveal')).json.values, {
      kept: canary,
      more: 'z',
    });
    assert.equal(
      (await world.call(ada, 'PUT', '/changed', { values: {}, keep: ['none'] })).json.code,
      'no_such_key',
    );
    assert.equal((await world.call(ada, 'PUT', '/changed', { values: {} })).json.code, 'invalid_secret');
    assert.deepEqual((await world.call(ada, 'PUT', '/changed', { values: {}, keep: ['more'] })).json.keys, [
      'more',
    ]);
    assert.equal((await world.call(ada, 'PUT', '/no-such', { values: { a: 'b' } })).status, 404);
    assert.equal((await world.call(ben, 'PUT', '/changed', { values: { a: 'b' } })).status, 404);
  });

  it('for all users are kept by administrators and seen by everybody with full access', async () => {
    const all = { visibility: 'ALL_USERS' };
    assert.equal((await create(ada, 'everybody', all)).status, 403);
    assert.equal((await create(root, 'everybody', all)).status, 201);
    const seen = await world.call(ada, 'GET', '/everybody');
    assert.deepEqual(
      [seen.status, seen.json.visibility, seen.json.canChange, seen.json.canReveal],
      [200, 'ALL_USERS', false, false],
    );
    for (const [method, at, body] of [
      ['PUT', '', { values: { a: 'b' } }],
      ['DELETE', '', undefined],
      ['POST', '/reveal', undefined],
    ] as const)
      assert.equal((await world.call(ada, method, `/everybody${at}`, body)).status, 403, `${method} ${at}`);
    assert.equal((await world.call(root, 'POST', '/everybody/reveal')).json.values.k, canary);
    await create(ada, 'everybody');
    assert.equal(
      (await world.call(ada, 'GET', '/everybody')).json.visibility,
      'PRIVATE',
      'one’s own comes first',
    );
    assert.equal(
      (await world.call(ada, 'GET', '/everybody?visibility=ALL_USERS')).json.visibility,
      'ALL_USERS',
    );
  });

  it('of apps are the administrators’ alone', async () => {
    const ofApp = { visibility: 'APP', parent: 'app:ai.example.app' };
    const at = '/of-app?visibility=APP&parent=app:ai.example.app';
    assert.equal((await create(ada, 'of-app', ofApp)).status, 403);
    assert.equal((await create(root, 'of-app', ofApp)).status, 201);
    assert.equal((await world.call(root, 'GET', at)).json.parent, 'app:ai.example.app');
    assert.equal((await world.call(root, 'GET', '/of-app?parent=app:ai.example.app')).status, 200);
    assert.equal((await world.call(root, 'GET', '/of-app')).status, 404);
    for (const method of ['GET', 'DELETE']) assert.equal((await world.call(ada, method, at)).status, 404);
    assert.equal((await world.call(ada, 'POST', at.replace('?', '/reveal?'))).status, 404);
    assert.equal((await world.call(ada, 'GET', '?visibility=APP')).status, 403);
    assert.deepEqual(await names(root, '?visibility=APP'), ['APP of-app']);
    assert.deepEqual(await names(root, '?parent=app:another'), []);
    for (const bad of [
      { visibility: 'APP' },
      { visibility: 'APP', parent: 'ai.example.app' },
      { visibility: 'APP', parent: 'app:' },
      { visibility: 'APP', parent: 'app:../x' },
      { visibility: 'PRIVATE', parent: 'app:x' },
    ])
      assert.equal((await create(root, 'bad', bad)).json.code, 'invalid_secret', JSON.stringify(bad));
  });

  it('are nothing for visitors and apps', async () => {
    for (const token of [vic, 'ada/user/haic-app-1'])
      for (const [method, at, body] of [
        ['GET', '', undefined],
        ['POST', '', { name: 'x', values: { k: 'v' } }],
        ['GET', '/db.main', undefined],
        ['PUT', '/db.main', { values: { k: 'v' } }],
        ['DELETE', '/db.main', undefined],
        ['POST', '/db.main/reveal', undefined],
        ['POST', '/db.main/restore', undefined],
      ] as const)
        assert.equal((await world.call(token, method, at, body)).status, 403, `${token} ${method} ${at}`);
  });

  it('are listed by name, in pages, by a word and by visibility', async () => {
    const lea = 'lea/user';
    for (const name of ['b', 'a', 'c.x', 'c']) await create(lea, name);
    await create(root, 'bb', { visibility: 'ALL_USERS' });
    const everyone = (await names(lea, '?visibility=ALL_USERS')).filter((name) => !/bb/.test(name));
    const all = ['PRIVATE a', 'PRIVATE b', 'ALL_USERS bb', 'PRIVATE c', 'PRIVATE c.x', ...everyone];
    assert.deepEqual(await names(lea), all);
    assert.deepEqual(
      await names(lea, '?visibility=PRIVATE'),
      ['a', 'b', 'c', 'c.x'].map((name) => `PRIVATE ${name}`),
    );
    assert.deepEqual(await names(lea, '?query=C'), ['PRIVATE c', 'PRIVATE c.x']);
    assert.deepEqual(await names(lea, '?query=%25'), []);
    const seen: string[] = [];
    for (let token: string | undefined = ''; token !== undefined; ) {
      const { json }: Answer = await world.call(lea, 'GET', `?pageSize=2&pageToken=${token}`);
      seen.push(
        ...json.items.map((one: { visibility: string; name: string }) => `${one.visibility} ${one.name}`),
      );
      token = json.nextPageToken;
    }
    assert.deepEqual(seen, all);
    const nul = Buffer.from(JSON.stringify(['a\u0000', 'b'])).toString('base64url');
    for (const bad of [
      '?pageToken=x',
      `?pageToken=${nul}`,
      '?query=%00',
      '?visibility=PUBLIC',
      '?parent=%00',
    ])
      assert.equal((await world.call(lea, 'GET', bad)).status, 400, bad);
    for (const [method, verb] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/reveal'],
      ['POST', '/restore'],
    ] as const)
      assert.equal((await world.call(lea, method, `/a%00b${verb}`)).status, 404);
  });

  it('are not deleted while an app uses them, and the apps are named as far as one may know of them', async () => {
    await create(root, 'used', { visibility: 'ALL_USERS' });
    await create(ada, 'used');
    world.apps.push(
      appNaming('used', 'ada'),
      appNaming('used', 'ben'),
      appNaming('workspaces/global/secrets/used', 'ada', { visibility: 'ALL_USERS' }),
      appNaming('other', 'ada'),
    );
    const own = await world.call(ada, 'DELETE', '/used');
    assert.deepEqual([own.status, own.json.code], [409, 'secret_in_use']);
    assert.match(own.json.detail, /used by App of ada 1\.0\.0 \(ada\)\. Delete/);
    const everybodys = await world.call(root, 'GET', '/used?visibility=ALL_USERS');
    assert.deepEqual(
      everybodys.json.usedBy.apps.map((app: { title: string; keys: string[] }) => [app.title, app.keys]),
      [
        ['App of ben', ['k']],
        ['App of ada', ['k']],
      ],
    );
    const forAda = (await world.call(ada, 'GET', '/used?visibility=ALL_USERS')).json.usedBy;
    assert.deepEqual([forAda.apps.length, forAda.others], [1, 1], 'of Ben’s PRIVATE app she may not know');
    world.apps.length = 0;
    assert.equal((await world.call(ada, 'DELETE', '/used')).status, 204);
  });

  it('come back after a deletion, or are made anew', async () => {
    await create(ada, 'gone');
    assert.equal((await world.call(ada, 'DELETE', '/gone')).status, 204);
    for (const [method, at, body] of [
      ['GET', '', undefined],
      ['DELETE', '', undefined],
      ['POST', '/reveal', undefined],
      ['PUT', '', { values: { a: 'b' } }],
    ] as const)
      assert.equal((await world.call(ada, method, `/gone${at}`, body)).status, 404);
    assert.ok(!(await names(ada)).includes('PRIVATE gone'));
    assert.equal((await world.call(ben, 'POST', '/gone/restore')).status, 404);
    assert.deepEqual((await world.call(ada, 'POST', '/gone/restore')).json.keys, ['k']);
    assert.equal((await world.call(ada, 'POST', '/gone/reveal')).json.values.k, canary);
    assert.equal(
      (await world.call(ada, 'POST', '/gone/restore')).status,
      404,
      'there is nothing to bring back',
    );
    await world.call(ada, 'DELETE', '/gone');
    assert.equal((await create(ada, 'gone', { values: { fresh: 'x' } })).status, 201);
    assert.deepEqual((await world.call(ada, 'POST', '/gone/reveal')).json.values, { fresh: 'x' });
  });

  it('have the apps that name them looked at again when they come, change and go', async () => {
    const app = appNaming('looked-at', 'ben');
    world.apps.push(app);
    await create(ada, 'looked-at');
    await world.call(ada, 'PUT', '/looked-at', { values: { other: 'x' } });
    await world.call(ada, 'DELETE', '/looked-at');
    await world.call(ada, 'POST', '/looked-at/restore');
    assert.deepEqual(world.rechecked, [app.id, app.id, app.id, app.id]);
  });

  it('are created once for each Idempotency-Key, whose answer holds no value either', async () => {
    const key = { 'idempotency-key': 'k-1' };
    const body = { name: 'once', values: { k: canary } };
    const [first, again] = [
      await world.call(ada, 'POST', '', body, key),
      await world.call(ada, 'POST', '', body, key),
    ];
    assert.deepEqual([first.status, again.status, again.json], [201, 201, first.json]);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    const other = { ...body, values: { k: 'another' } };
    assert.equal((await world.call(ada, 'POST', '', other, key)).status, 422);
  });

  it('refuse names, keys and values that are none, and name no value', async () => {
    const bad: readonly (readonly [body: unknown, what: string])[] = [
      ...['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a/b', 'ä', 'x'.repeat(64), 'a\u0000', '../a', 'a b'].map(
        (name) => [{ name, values: { k: canary } }, `the name ${JSON.stringify(name)}`] as const,
      ),
      ...['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(254), 'a\n', '\u0000'].map(
        (key) => [{ name: 'bad', values: { [key]: canary } }, `the key ${JSON.stringify(key)}`] as const,
      ),
      [{ name: 'bad', values: {} }, 'no key'],
      [{ name: 'bad' }, 'no values'],
      [{ name: 'bad', values: { k: 1 } }, 'a number'],
      [{ name: 'bad', values: { k: null } }, 'null'],
      [{ name: 'bad', values: [canary] }, 'a list'],
      [{ name: 'bad', values: { k: { base64: `${canary}!` } } }, 'no base64'],
      ['{"name":"bad","values":{"k":"\\ud800 canary"}}', 'half a character'],
      ['{"name":"bad","values":{"__proto__":{"x":1}}}', 'a prototype'],
      [{ name: 'bad', values: { k: canary }, owner: 'ben' }, 'a field too many'],
      [{ name: 'bad', values: { k: 'x'.repeat(64 * 1024 + 1) } }, 'a value too large'],
      [
        { name: 'bad', values: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, ''])) },
        'many keys',
      ],
      [{ name: 'bad', visibility: 'PUBLIC', values: { k: canary } }, 'another visibility'],
    ];
    for (const [body, what] of bad) {
      const { status, text } = await world.call(ada, 'POST', '', body);
      assert.equal(status, 400, `${what}: ${text}`);
      assert.doesNotMatch(text, /canary/, what);
    }
    assert.ok(!(await names(ada)).includes('PRIVATE bad'));
  });

  it('take every name and key of their form, and give back every byte', async () => {
    const allowed = (length: number) =>
      [...randomBytes(length)].map((byte) => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % 36]).join('');
    for (let round = 0; round < 40; round += 1) {
      const name = [allowed(1 + (round % 20)), allowed(1 + ((round * 7) % 30))].join(
        round % 2 === 0 ? '.' : '-',
      );
      const bytes = randomBytes(round * 37);
      const key = `K_${'.-x'.repeat(round)}`;
      const values = { [key]: { base64: bytes.toString('base64') }, constructor: 'c', toString: `${round}` };
      const made = await create(ada, name, { values });
      assert.equal(made.status, 201, `${name}: ${made.text}`);
      const shown = (await world.call(ada, 'POST', `/${name}/reveal`)).json.values;
      const got = shown[key];
      const back = typeof got === 'string' ? Buffer.from(got) : Buffer.from(got.base64, 'base64');
      assert.ok(back.equals(bytes));
      assert.deepEqual([shown.constructor, shown.toString], ['c', `${round}`]);
    }
  });

  it('are described, each form under one name', async () => {
    const { statusCode, body } = await world.server.inject({ method: 'GET', url: '/api/v1/openapi.json' });
    assert.equal(statusCode, 200, body);
    assert.ok('SecretVisibility' in JSON.parse(body).components.schemas);
  });

  it('leave no value in the log, and none that is not sealed in the database', async () => {
    await create(ada, 'grepped');
    assert.doesNotMatch(world.log.join('\n'), /canary/);
    const rows = await world.database.sql<{ row: string }[]>`
      select v::text as row from secrets.version_values v
      union all select s::text from secrets.secrets s union all select v::text from secrets.versions v`;
    assert.ok(rows.length > 0);
    const hex = Buffer.from(canary).toString('hex');
    for (const { row } of rows) assert.ok(!row.includes('canary') && !row.includes(hex));
  });
});
