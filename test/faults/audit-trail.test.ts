import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { installationAt } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { withDatabase } from '../../apps/cli/installation/database.ts';
import { callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { eventually, killHard, kills } from './support.ts';

interface Told {
  readonly action: string;
  readonly resource: string;
  readonly principal: string;
  readonly loginPrincipal: string;
  readonly sourceIpAddress: string;
  readonly status?: { readonly code: number };
  readonly requestParameters: Readonly<Record<string, string>>;
}

describe('the audit trail of a whole platform', () => {
  let haic: Haic;
  let admin: string;
  let adaPassword: string;
  before(async () => {
    haic = await startHaic();
    adaPassword = await haic.addUser('ada');
    admin = await haic.accessToken(haic.admin.username);
  });
  after(() => haic?.stop());

  const api = <T = unknown>(method: string, at: string, body?: unknown, token = admin) =>
    callApi<T>(haic, token, method, at, body);
  const exported = async (flags: readonly string[] = []): Promise<Told[]> =>
    (await haic.run(['audit', 'export', ...flags]))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Told);
  const told = (action: string, resource: string) =>
    eventually(async () => {
      const all = await exported(['--action', `^${action}$`]);
      return all.find((event) => event.resource === resource);
    });
  const verify = async () => {
    const { code, stdout } = await haic.cli(['audit', 'verify', '--json']);
    return {
      code,
      ...(JSON.parse(stdout) as { whole: boolean; events: number; broken: { seq: number } | null }),
    };
  };

  it('hears of everything that can be changed', async () => {
    const log = await readFile(path.join(haic.home, 'logs/core.log'), 'utf8');
    const gaps = log.split('\n').filter((line) => line.includes('"gaps"'));
    assert.deepEqual(gaps, []);
  });

  it('tells who did what, by the portal, the API and commands; and nothing secret', async () => {
    const canaries = [adaPassword, haic.admin.password, admin];
    const added = await api<{ person: { username: string }; password: string }>('POST', '/api/v1/people', {
      ...{ username: 'bob', roles: ['user'] },
    });
    assert.equal(added.status, 201);
    canaries.push(added.body.password);
    const account = await haic.run(['service-account', 'add', 'nightly', '--owner', 'ada', '--json']);
    canaries.push((JSON.parse(account) as { clientSecret: string }).clientSecret);
    canaries.push((await haic.run(['token', '--user', 'ada'])).trim());
    const browser = new Browser(haic.port);
    await browser.signIn(`${haic.url}/login`, 'ada', adaPassword);
    await new Browser(haic.port)
      .signIn(`${haic.url}/login`, 'bob', 'canary-of-a-wrong-password')
      .catch(() => undefined);
    canaries.push('canary-of-a-wrong-password');
    const secret = await api('POST', '/api/v1/secrets', {
      ...{ name: 'key', visibility: 'PRIVATE', values: { password: 'canary-of-a-value' } },
    });
    canaries.push('canary-of-a-value');
    const refused = await api('POST', '/api/v1/people', { username: 'eve' }, await haic.accessToken('ada'));
    assert.equal(refused.status, 403);

    const person = await told('actions/identity/people/CREATE', '//identity/people/bob');
    assert.equal(person.loginPrincipal, haic.admin.username);
    assert.equal(person.sourceIpAddress, 'private');
    assert.equal(person.requestParameters.roles, 'user');
    await told('actions/identity/serviceaccounts/CREATE', '//identity/serviceaccounts/nightly');
    await told('actions/identity/tokens/CREATE', '//identity/people/ada/tokens');
    const signedIn = await told('actions/identity/sessions/SIGNIN', '//identity/sessions');
    assert.ok(signedIn);
    await eventually(async () => {
      const all = await exported(['--failed']);
      return all.some(({ action, status }) => action.endsWith('/SIGNIN') && status?.code === 16) &&
        all.some(({ action, status }) => action === 'actions/identity/people/CREATE' && status?.code === 7)
        ? true
        : undefined;
    });
    if (secret.status === 201)
      await eventually(async () => (await exported(['--action', 'securestore'])).length > 0 || undefined);
    const everything = `${JSON.stringify(await exported())}${await haic.run(['audit', 'export', '--format', 'csv'])}`;
    for (const canary of canaries) assert.ok(!everything.includes(canary), 'something secret was told');
  });

  it('is exported to those who may search it', async () => {
    const ada = await haic.accessToken('ada');
    const at = '/api/v1/audit-events/export?format=csv';
    assert.equal((await api('GET', at, undefined, ada)).status, 403);
    const response = await fetch(`${haic.url}${at}`, { headers: { authorization: `Bearer ${admin}` } });
    assert.match(response.headers.get('content-disposition') ?? '', /attachment/);
    assert.match((await response.text()).split('\r\n')[0] ?? '', /^eventTime,loginPrincipal,/);
  });

  it('has all that was acknowledged, however often core, the router and all of it are killed', async () => {
    const made: string[] = [];
    let stopped = false;
    const worker = async (): Promise<void> => {
      while (!stopped) {
        const name = `group ${made.length} ${Math.random()}`;
        const answer = await api<{ id: string }>('POST', '/api/v1/groups', { name }).catch(() => undefined);
        if (answer?.status === 201) made.push(answer.body.id);
        else await sleep(100);
        if (answer?.status === 401) admin = await haic.accessToken(haic.admin.username);
      }
    };
    const working = Promise.all([worker(), worker()]);
    for (let n = 0; n < kills / 2; n += 1) {
      const before = made.length;
      await eventually(() => (made.length > before + 2 ? true : undefined));
      await sleep(Math.random() * 200);
      await killHard(haic, n % 3 === 2 ? ['router'] : ['core']);
    }
    stopped = true;
    await working;
    await haic.up();
    await eventually(async () => {
      const found = new Set((await exported(['--action', 'groups/CREATE'])).map(({ resource }) => resource));
      return made.every((id) => found.has(`//identity/groups/${id}`)) ? true : undefined;
    });
    const { code, whole } = await verify();
    assert.deepEqual([code, whole], [0, true]);
  });

  it('goes on after a backup was restored, says so, and is whole', async () => {
    const file = path.join(haic.home, '../', `${path.basename(haic.home)}.backup`);
    await haic.run(['backup', file]);
    await api('POST', '/api/v1/groups', { name: 'made since the backup' });
    await sleep(2000);
    await haic.run(['down']);
    await haic.run(['restore', file, '--replace']);
    await rm(file);
    await haic.up();
    admin = await haic.accessToken(haic.admin.username);
    await api('POST', '/api/v1/groups', { name: 'made after the restore' });
    await eventually(async () => (await exported(['--action', 'trails/RESTORE'])).length > 0 || undefined);
    const { code, whole } = await verify();
    assert.deepEqual([code, whole], [0, true]);
  });

  it('refuses to be changed, and shows where it was', async () => {
    const at = installationAt(haic.home, '');
    const settings = readSettings({ ...process.env, HAIC_HOME: haic.home });
    await withDatabase(at, settings, async (url) => {
      const { sql, close } = connectPostgres({ url, applicationName: 'test', maxConnections: 1 });
      await assert.rejects(
        sql`update audit.events set principal = 'users/nobody' where seq = 3`,
        /append-only/,
      );
      await sql`alter table audit.events disable trigger user`;
      await sql`update audit.events set principal = 'users/nobody' where seq = 3`;
      await sql`alter table audit.events enable trigger user`;
      await close();
    });
    const { code, whole, broken } = await verify();
    assert.deepEqual([code, whole, broken?.seq], [1, false, 3]);
    const said = await haic.cli(['audit', 'verify']);
    assert.match(said.stdout, /^BROKEN at event 3 /);
  });
});
