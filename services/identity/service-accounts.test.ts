import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import * as oidc from 'openid-client';
import { operatorSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';

interface Account {
  id: string;
  name: string;
  clientId: string;
  owner: string | null;
  roles: string[];
  groups: string[];
  state: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  earlierSecretEndsAt: string | null;
}
interface WithSecret {
  account: Account;
  secret: string;
  code: string;
}

describe('Service accounts', () => {
  let haic: TestIdentity;
  let operator: string;
  const ended: string[] = [];

  before(async () => {
    haic = await startTestIdentity({
      whenPersonEnds: async (subject) => void ended.push(subject),
    });
    await haic.identity.operator.add({ username: 'ada', roles: ['user'], groups: [] });
    const config = await haic.clientOf(wellKnownClients.operator, operatorSecret);
    operator = (await oidc.clientCredentialsGrant(config)).access_token;
  });
  after(() => haic.stop());

  const path = '/internal/identity/service-accounts';
  async function call<T>(token: string, method: string, route: string, body?: unknown) {
    const response = await fetch(`${haic.listenUrl}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: (text === '' ? {} : JSON.parse(text)) as T & { code: string } };
  }
  const make = async (more: object = {}) => {
    const wanted = {
      name: `ci-${randomUUID()}`,
      owner: 'ada',
      roles: ['user'],
      groups: ['builders'],
      ...more,
    };
    const made = await call<WithSecret>(operator, 'POST', path, wanted);
    assert.equal(made.status, 201, JSON.stringify(made.json));
    return made.json;
  };
  const tokenOf = async ({ account, secret }: { account: Account; secret: string }) =>
    (await oidc.clientCredentialsGrant(await haic.clientOf(account.clientId, secret))).access_token;
  const refused = (made: { account: Account; secret: string }) =>
    assert.rejects(tokenOf(made), { status: 401 });
  const whoIs = (token: string) => call(token, 'GET', '/api/v1/service-accounts');

  test('its token says who it is, what it may and that it is a machine, and lasts five minutes', async () => {
    const made = await make();
    const { name, id, clientId } = made.account;
    const token = await tokenOf(made);
    const principal = await haic.verifyToken(token);
    assert.equal(clientId, `haic-sa-${name}`);
    assert.deepEqual(
      [principal.subject, principal.username, principal.party, principal.partyKind],
      [id, name, clientId, 'service-account'],
    );
    assert.deepEqual([principal.roles, principal.groups], [['user'], ['builders']]);
    const seconds = principal.expiresAt - Date.now() / 1000;
    assert.ok(seconds > 200 && seconds <= 300, String(seconds));
    const found = await call<Account>(operator, 'GET', `${path}/${name}`);
    assert.ok(Date.now() - Date.parse(found.json.lastUsedAt ?? '') < 60_000, 'its use is noted');
  });

  test('what a person can own, it can: other services find it by id and by name', async () => {
    const { account } = await make();
    const { client } = haic.identity;
    const person = await client.findPerson(account.id);
    assert.deepEqual(await client.findPersonByName(account.name), person);
    assert.deepEqual([person?.username, person?.roles, person?.disabled], [account.name, ['user'], false]);
    assert.deepEqual(await client.activeAmong([account.id]), [account.id]);
    const instanceId = randomUUID();
    const address = 'http://app.localhost/';
    await client.registerAppClient({
      instanceId,
      appId: 'an-app',
      redirectUri: address,
      postLogoutRedirectUri: address,
      name: 'App',
    });
    const { accessToken } = await client.mintAppToken({ instanceId, subject: account.id });
    assert.equal((await haic.verifyToken(accessToken)).subject, account.id, 'an app acts for it');
  });

  test('the secret is told once, and the database has nothing that would do instead', async () => {
    const made = await make();
    const { sql } = haic.database;
    const rows = await sql`
      select s.hash from identity.service_account_secrets s where s.account_id = ${made.account.id}`;
    const hash = rows[0]?.hash as Buffer;
    assert.equal(hash.length, 32);
    for (const wrong of [
      '',
      hash.toString('hex'),
      hash.toString('base64url'),
      made.account.id,
      `${made.secret}x`,
    ])
      await assert.rejects(tokenOf({ ...made, secret: wrong || 'empty' }), { status: 401 });
    const read = await call(operator, 'GET', `${path}/${made.account.name}`);
    assert.doesNotMatch(JSON.stringify(read.json), /haic_sa_/);
    const other = await make();
    await assert.rejects(tokenOf({ ...made, secret: other.secret }), { status: 401 });
  });

  test('while a secret is replaced both are good; of three the first has ended, and one that leaked ends at once', async () => {
    const first = await make();
    const rotate = async (body?: object) =>
      (await call<WithSecret>(operator, 'POST', `${path}/${first.account.name}/secret`, body)).json;
    const second = await rotate();
    assert.ok(Date.parse(second.account.earlierSecretEndsAt ?? '') > Date.now() + 23 * 3600_000);
    await tokenOf(first);
    await tokenOf(second);
    const third = await rotate();
    await refused(first);
    await tokenOf(second);
    await tokenOf(third);
    const fourth = await rotate({ overlapHours: 0 });
    await refused(third);
    await tokenOf(fourth);
  });

  test('removed, disabled or without an owner who may sign in, it gets no token, and what it has is refused at once', async () => {
    await haic.identity.operator.add({ username: 'grace', roles: ['user'], groups: [] });
    const ends: Record<string, (name: string) => Promise<unknown>> = {
      removed: (name) => call(operator, 'DELETE', `${path}/${name}`),
      disabled: (name) => call(operator, 'PATCH', `${path}/${name}`, { disabled: true }),
      'owner disabled': () => haic.identity.operator.change('grace', { disabled: true }),
      'owner removed': () => haic.identity.operator.remove('grace'),
    };
    for (const [how, end] of Object.entries(ends)) {
      await haic.identity.operator.change('grace', { disabled: false });
      const made = await make({ owner: 'grace', roles: ['admin'] });
      const token = await tokenOf(made);
      assert.equal((await whoIs(token)).status, 200, how);
      await end(made.account.name);
      const after = await whoIs(token);
      assert.deepEqual([after.status, after.json.code], [401, 'unauthenticated'], how);
      await refused(made);
      assert.ok(ended.includes(made.account.id), `${how}: what it runs is stopped`);
      assert.deepEqual(await haic.identity.client.activeAmong([made.account.id]), [], how);
    }
    const left = await call<{ items: Account[] }>(operator, 'GET', `${path}?query=admin`);
    assert.ok(left.json.items.some(({ owner, state }) => owner === null && state === 'OWNER_UNAVAILABLE'));
  });

  test('ends by itself at its time', async () => {
    const made = await make({ expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const token = await tokenOf(made);
    await haic.database.sql`
      update identity.service_accounts set expires_at = now() where id = ${made.account.id}`;
    await refused(made);
    assert.equal((await whoIs(token)).status, 401);
    const again = new Date(Date.now() + 60_000).toISOString();
    const changed = await call<Account>(operator, 'PATCH', `${path}/${made.account.name}`, {
      expiresAt: again,
    });
    assert.deepEqual([changed.json.state, changed.json.expiresAt], ['ACTIVE', again]);
    await tokenOf(made);
    const never = await call<Account>(operator, 'PATCH', `${path}/${made.account.name}`, { expiresAt: null });
    assert.equal(never.json.expiresAt, null);
  });

  test('may administer with the role, and makes neither passwords nor secrets, not even its own', async () => {
    const plain = await tokenOf(await make());
    assert.equal((await whoIs(plain)).json.code, 'administrators_only');
    const admin = await make({ roles: ['admin'] });
    const token = await tokenOf(admin);
    assert.equal((await call(token, 'GET', '/api/v1/people')).status, 200);
    const added = await call(token, 'POST', '/api/v1/people', { username: 'provisioned', roles: ['user'] });
    assert.equal(added.status, 201);
    for (const route of [
      '/api/v1/service-accounts',
      `/api/v1/service-accounts/${admin.account.name}/secret`,
      '/api/v1/people/ada/password',
    ])
      assert.equal((await call(token, 'POST', route, {})).json.code, 'portal_only', route);
    assert.equal((await call(token, 'GET', '/api/v1/me/tokens')).json.code, 'service_account_refused');
    assert.equal((await call(token, 'GET', path)).json.code, 'operator_only');
  });

  test('asks the issuer about no other client’s tokens', async () => {
    const config = await haic.clientOf((await make()).account.clientId, 'x');
    const made = await make();
    const own = await haic.clientOf(made.account.clientId, made.secret);
    const answer = await oidc.tokenIntrospection(own, operator).catch(() => ({ active: false }));
    assert.equal(answer.active, false);
    await assert.rejects(oidc.clientCredentialsGrant(config), { status: 401 });
  });

  test('has a name of its own among people and accounts, and only people answer for it', async () => {
    const { account } = await make();
    const add = (wanted: object) => call(operator, 'POST', path, { owner: 'ada', ...wanted });
    assert.equal((await add({ name: account.name })).json.code, 'username_taken');
    assert.equal((await add({ name: 'ada' })).json.code, 'username_taken');
    await assert.rejects(haic.identity.operator.add({ username: account.name, roles: [], groups: [] }), {
      code: 'username_taken',
    });
    for (const [wanted, code] of [
      [{ name: '-ci' }, 'bad_name'],
      [{ name: 'ci.one' }, 'bad_name'],
      [{ name: 'c2', owner: account.name }, 'unsuitable_owner'],
      [{ name: 'c2', owner: 'nobody' }, 'unsuitable_owner'],
      [{ name: 'c2', expiresAt: '2020-01-01T00:00:00Z' }, 'bad_expiry'],
      [{ name: 'c2', expiresAt: '2027-99-01T00:00:00Z' }, 'bad_expiry'],
      [{ name: 'c2', description: 'two\nlines' }, 'bad_description'],
      [{ name: 'c2', roles: ['\u0007'] }, 'bad_role'],
    ] as const)
      assert.equal((await add(wanted)).json.code, code, JSON.stringify(wanted));
  });

  test('is put into groups and given roles where people are, beside them, and taken out again', async () => {
    const { account, secret } = await make({ groups: [] });
    const { name } = account;
    const admin = await tokenOf(await make({ roles: ['admin'], groups: [] }));
    type Group = { id: string; members: number; serviceAccounts: number };
    const group = await call<Group>(admin, 'POST', '/api/v1/groups', { name: 'welders' });
    const groupPath = `/api/v1/groups/${group.json.id}`;
    const rolePath = `/api/v1/roles/auditor/members/${name}`;
    const asItIs = async () => {
      const { roles, groups } = await haic.verifyToken(await tokenOf({ account, secret }));
      return { roles, groups };
    };
    for (const member of [name, 'ada'])
      assert.equal((await call(admin, 'PUT', `${groupPath}/members/${member}`)).status, 204);
    // Once more changes nothing.
    assert.equal((await call(admin, 'PUT', `${groupPath}/members/${name.toUpperCase()}`)).status, 204);
    assert.equal((await call(admin, 'PUT', rolePath)).status, 204);
    assert.deepEqual(await asItIs(), { roles: ['auditor', 'user'], groups: ['welders'] });
    const { members, serviceAccounts } = (await call<Group>(admin, 'GET', groupPath)).json;
    assert.deepEqual([members, serviceAccounts], [1, 1]);
    const roles = await call<{ items: (Group & { name: string })[] }>(admin, 'GET', '/api/v1/roles');
    const auditor = roles.json.items.find((role) => role.name === 'auditor');
    assert.deepEqual([auditor?.members, auditor?.serviceAccounts], [0, 1]);
    for (const filter of ['group=welders', 'role=auditor']) {
      const listed = await call<{ items: Account[] }>(admin, 'GET', `/api/v1/service-accounts?${filter}`);
      assert.deepEqual(
        listed.json.items.map((one) => one.name),
        [name],
        filter,
      );
    }

    assert.equal((await call(admin, 'DELETE', `${groupPath}/members/${name}`)).status, 204);
    assert.equal((await call(admin, 'DELETE', rolePath)).status, 204);
    assert.deepEqual(await asItIs(), { roles: ['user'], groups: [] });
    assert.equal((await call(admin, 'PUT', `${groupPath}/members/nobody-at-all`)).status, 404);
    assert.equal((await call(admin, 'PUT', '/api/v1/roles/auditor/members/nobody-at-all')).status, 404);
  });

  test('gets no token that outlives it', async () => {
    const made = await make({ expiresAt: new Date(Date.now() + 90_000).toISOString() });
    const answer = await oidc.clientCredentialsGrant(await haic.clientOf(made.account.clientId, made.secret));
    const { expiresAt } = await haic.verifyToken(answer.access_token);
    assert.ok(expiresAt <= Date.now() / 1000 + 90, String(expiresAt));
    assert.ok((answer.expires_in ?? 0) > 60 && (answer.expires_in ?? 0) <= 90, String(answer.expires_in));
  });

  test('is listed page by page and found by name, owner or role; a group that is renamed is renamed in it', async () => {
    const names = [(await make()).account.name, (await make()).account.name].sort();
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const query = next === undefined ? '' : `&pageToken=${next}`;
      const page = await call<{ items: Account[]; nextPageToken?: string }>(
        operator,
        'GET',
        `${path}?pageSize=1${query}`,
      );
      seen.push(...page.json.items.map(({ name }) => name));
      next = page.json.nextPageToken;
    } while (next !== undefined);
    assert.deepEqual(seen, [...new Set(seen)].sort());
    for (const name of names) assert.ok(seen.includes(name));
    const found = await call<{ items: Account[] }>(operator, 'GET', `${path}?query=${names[0]}`);
    assert.deepEqual(
      found.json.items.map(({ name }) => name),
      [names[0]],
    );

    const admin = await tokenOf(await make({ roles: ['admin'], groups: [] }));
    const groups = await call<{ items: { id: string; name: string }[] }>(
      admin,
      'GET',
      '/api/v1/groups?query=builders',
    );
    const renamed = await call(admin, 'PATCH', `/api/v1/groups/${groups.json.items[0]?.id}`, {
      name: 'makers',
    });
    assert.equal(renamed.status, 200);
    const after = await call<Account>(operator, 'GET', `${path}/${names[0]}`);
    assert.deepEqual(after.json.groups, ['makers']);
  });
});
