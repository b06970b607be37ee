import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  appTokenOf,
  csrfTokenOf,
  grantAt,
  inside,
  type Probe,
  serviceTokenOf,
  signedIn,
  startProbe,
  statusOf,
} from './support.ts';

let haic: Haic;
let mine: Probe;
let shared: Probe;
const passwords: Record<string, string> = {};
const tokens: Record<string, string> = {};
before(async () => {
  haic = await startHaic();
  for (const name of ['ada', 'mallory']) passwords[name] = await haic.addUser(name);
  await haic.addUser('vera', { roles: ['visitor'] });
  for (const name of ['ada', 'mallory', 'vera', 'admin']) tokens[name] = await haic.accessToken(name);
  mine = await startProbe(haic, tokens.ada as string);
  shared = await startProbe(haic, tokens.ada as string, 'shared-probe', 'ALL_USERS');
  tokens.app = await appTokenOf(haic, tokens.ada as string, mine);
  tokens.cli = await cliToken();
  tokens.router = await serviceTokenOf(haic, 'haic-service-router');
  tokens.operator = await serviceTokenOf(haic, 'haic-service-operator');
});
after(() => haic?.stop());

async function cliToken(): Promise<string> {
  const browser = await signedIn(haic, 'ada', passwords.ada as string);
  await browser.open(`${haic.url}/auth/get-token`);
  const answer = await browser.fetch(`${haic.url}/session/one-time-token`, {
    method: 'POST',
    headers: {
      origin: haic.url,
      'x-haic-csrf': await csrfTokenOf(haic, browser),
      'content-type': 'application/json',
    },
    body: '{"kind":"cli"}',
  });
  const { token } = JSON.parse(answer.body) as { token: string };
  return (await grantAt(haic, { grant_type: 'refresh_token', client_id: 'haic-cli', refresh_token: token }))
    .body.access_token;
}

type Cell = number | '-';
type Row = readonly [method: string, route: string, ...expected: Cell[]];

/** Tries each route with each token; `-` is not tried, because it would be granted and change what the next ones need. */
async function tryAll(actors: readonly (string | undefined)[], rows: readonly Row[]): Promise<void> {
  const wrong: string[] = [];
  for (const [method, route, ...expected] of rows) {
    for (const [column, actor] of actors.entries()) {
      if (expected[column] === '-') continue;
      const token = actor === undefined ? undefined : tokens[actor];
      assert.ok(actor === undefined || token !== undefined, actor);
      const body =
        method === 'PATCH'
          ? { visibility: 'PRIVATE' }
          : method === 'POST' && route.startsWith('/api/v1/apps?')
            ? Buffer.from('no zip')
            : method === 'POST'
              ? {}
              : undefined;
      const status = await statusOf(haic, token, method, route, body);
      if (status !== expected[column])
        wrong.push(`${method} ${route} by ${actor ?? 'nobody'}: ${status}, not ${expected[column]}`);
    }
  }
  assert.deepEqual(wrong, []);
}

describe('4 token substitution: clients × operations', () => {
  test("an app's token acts for its person on what the person reads, and is refused at everything else", async () => {
    const app = `/api/v1/apps/${mine.appId}`;
    const here = `/api/v1/instances/${mine.id}`;
    const other = `/api/v1/instances/${shared.id}`;
    const user = '/internal/identity/users';
    // biome-ignore format: columns
    const rows: readonly Row[] = [
      //                                                    platform cli app router operator
      ['GET', '/api/v1/me',                                      200, 200, 200, 403, 403],
      ['GET', '/api/v1/apps',                                    200, 200, 200, 403, 403],
      ['GET', '/api/v1/instances',                               200, 200, 200, 403, 403],
      ['GET', here,                                              200, 200, 200, 403, 403],
      ['GET', `${here}/logs`,                                    200, 200, 403, 403, 403],
      ['GET', other,                                             200, 200, 404, 403, 403],
      ['GET', `${other}/logs`,                                   200, 200, 403, 403, 403],
      // Import, run, change, end: by people only.
      ['POST', '/api/v1/apps?visibility=PRIVATE',                400, 400, 403, 403, 403],
      ['PATCH', app,                                             200, 200, 403, 403, 403],
      ['DELETE', app,                                            '-', '-', 403, 403, 403],
      ['POST', `${app}/instances`,                               '-', '-', 403, 403, 403],
      ['PATCH', here,                                            200, 200, 403, 403, 403],
      ['DELETE', here,                                           '-', '-', 403, 403, 403],
      ['DELETE', other,                                          '-', '-', 403, 403, 403],
      // The instance itself opens for its own token, another one does not.
      ['GET', `/instance/${mine.id}/`,                           200, 200, 200, 403, 403],
      ['GET', `/instance/${shared.id}/`,                         200, 200, 403, 403, 403],
      // Operator's routes and the routes of services do not exist here; tokens are made in a browser's session only.
      ['GET', user,                                              404, 404, 404, 404, 404],
      ['POST', user,                                             404, 404, 404, 404, 404],
      ['POST', `${user}/ada/platform-token`,                     404, 404, 404, 404, 404],
      ['POST', `${user}/ada/password`,                           404, 404, 404, 404, 404],
      ['GET', '/internal/routes',                                404, 404, 404, 404, 404],
      ['POST', '/session/one-time-token',                        401, 401, 401, 401, 401],
      ['POST', `/api/launcher/v1/instances/${mine.id}/token`,    401, 401, 401, 401, 401],
      ['GET', `/api/launcher/v1/instances/${mine.id}/bundle`,    401, 401, 401, 401, 401],
    ];
    await tryAll(['ada', 'cli', 'app', 'router', 'operator'], rows);
  });

  test('a token opens no page that hands out tokens or changes the password', async () => {
    for (const route of ['/auth/get-platform-token', '/auth/get-token']) {
      const response = await fetch(`${haic.url}${route}`, {
        headers: { authorization: `Bearer ${tokens.app}` },
        redirect: 'manual',
      });
      const location = new URL(response.headers.get('location') ?? '');
      assert.equal(`${location.origin}${location.pathname}`, `${haic.url}/login`, 'it asks who is there');
    }
    const account = await fetch(`${haic.url}/auth/realms/haic/account`, {
      headers: { authorization: `Bearer ${tokens.app}` },
    });
    assert.doesNotMatch(await account.text(), /ada/);
  });

  test('neither an app’s token nor its handle is turned into one of another client', async () => {
    for (const client of ['haic-platform', 'haic-cli']) {
      const refreshed = await grantAt(haic, {
        grant_type: 'refresh_token',
        client_id: client,
        refresh_token: tokens.app as string,
      });
      assert.equal(refreshed.status, 400);
      const exchanged = await grantAt(haic, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: client,
        subject_token: tokens.app as string,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      });
      assert.equal(exchanged.status, 400);
      assert.match(`${exchanged.body.error_description}`, /not allowed for this client/);
    }
  });

  test('the token endpoint of one app answers no other app, and ends when others may open the instance', async () => {
    const ask = (address: string, handle: string) =>
      inside(
        haic,
        tokens.ada as string,
        shared,
        `
import urllib.error, urllib.parse, urllib.request
fields = dict(grant_type="refresh_token", client_id="haic-platform", refresh_token=${JSON.stringify(handle)})
try: print(urllib.request.urlopen(${JSON.stringify(address)}, urllib.parse.urlencode(fields).encode()).status)
except urllib.error.HTTPError as error: print(error.code)
`,
      );
    const said = await inside(
      haic,
      tokens.ada as string,
      mine,
      'import os\nprint(os.environ["H2O_CLOUD_TOKEN_ENDPOINT_URL"], os.environ["H2O_CLOUD_CLIENT_PLATFORM_TOKEN"])',
    );
    const [address = '', handle = ''] = said.trim().split(' ');
    assert.equal((await ask(address, 'guessed')).trim(), '400');
    const here = `/api/v1/instances/${mine.id}`;
    assert.equal((await ask(address, handle)).trim(), '200', 'the handle is the secret');
    assert.equal(await statusOf(haic, tokens.ada, 'PATCH', here, { visibility: 'ALL_USERS' }), 200);
    assert.notEqual((await ask(address, handle)).trim(), '200');
    assert.equal(await statusOf(haic, tokens.ada, 'PATCH', here, { visibility: 'PRIVATE' }), 200);
  });
});

describe('20 who may what', () => {
  test('lists show each person what they may know of, and no more', async () => {
    const listed = async (name: string, route: string) => {
      const response = await fetch(`${haic.url}${route}`, {
        headers: { authorization: `Bearer ${tokens[name]}` },
      });
      return ((await response.json()) as { items: { id: string }[] }).items.map(({ id }) => id).sort();
    };
    const all = '/api/v1/instances?all=true';
    assert.deepEqual(await listed('ada', all), [mine.id, shared.id].sort());
    assert.deepEqual(await listed('mallory', all), [shared.id]);
    assert.deepEqual(await listed('mallory', '/api/v1/instances'), []);
    assert.deepEqual(await listed('mallory', '/api/v1/apps'), [shared.appId]);
    assert.deepEqual(await listed('vera', all), []);
    assert.deepEqual(await listed('vera', '/api/v1/apps'), []);
    assert.deepEqual(await listed('app', all), [mine.id]);
  });
});
