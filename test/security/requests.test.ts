import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { deadline, until } from '@haic/kit/deadline.ts';
import { secretsOf } from '@haic/server/installation.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { instanceKey } from '@haic/services/app-store/scheduler/signature.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  csrfTokenOf,
  exchange,
  inside,
  type Probe,
  probeBundle,
  seenIn,
  signedIn,
  startProbe,
  statuses,
  statusOf,
  webSocket,
} from './support.ts';

let haic: Haic;
let token: string;
let mine: Probe;
let shared: Probe;
const passwords: Record<string, string> = {};
before(async () => {
  haic = await startHaic();
  for (const name of ['ada', 'mallory', 'victim']) passwords[name] = await haic.addUser(name);
  token = await haic.accessToken('ada');
  mine = await startProbe(haic, token);
  shared = await startProbe(haic, token, 'shared-probe', 'ALL_USERS');
});
after(() => haic?.stop());

const asAda = () => signedIn(haic, 'ada', passwords.ada as string);
const asMallory = () => signedIn(haic, 'mallory', passwords.mallory as string);

/** Every secret of the installation by name: none may ever be in what an app can see, nor in a log. */
async function platformSecrets(): Promise<ReadonlyMap<string, string>> {
  const masterKey = (await readFile(path.join(haic.home, 'secrets/master-key'), 'utf8')).trim();
  const secrets = secretsOf(Buffer.from(masterKey, 'hex'));
  return new Map([
    ['master key', masterKey],
    ['database password', secrets.postgresPassword],
    ...Object.values(wellKnownClients).map((id) => [id, secrets.clientSecret(id)] as const),
    ['key of the instance', instanceKey(secrets.masterKey, mine.id).toString('hex')],
  ]);
}

describe('5 leakage: what an app is shown', () => {
  test('no cookie, token or secret of the platform is in requests, environments or what else the app reads', async () => {
    const browser = await asAda();
    const answer = await browser.open(`${mine.origin}/anything?x=1`);
    const seen = seenIn(answer.body);
    assert.equal(seen.path, '/anything?x=1');
    const names = seen.headers.map(([name]) => name.toLowerCase());
    for (const never of ['cookie', 'authorization']) assert.ok(!names.includes(never), never);

    const environments = await inside(
      haic,
      token,
      mine,
      `
import os, glob
print(dict(os.environ))
for name in ["/proc/self/environ", "/proc/1/environ"] + glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try: print(name, open(name, "rb").read())
    except OSError as error: print(name, error)
`,
    );
    assert.match(environments, /H2O_CLOUD_INSTANCE_ID/);
    const everything = answer.body + environments;
    for (const [name, secret] of await platformSecrets()) assert.ok(!everything.includes(secret), name);
    for (const { name, value } of browser.cookies.values())
      assert.ok(value === '' || !everything.includes(value), name);
    assert.ok(!everything.includes(token));
    // A private instance has a handle of its own for its owner's tokens, and no token that is worth anything elsewhere.
    assert.doesNotMatch(everything, /eyJ[\w-]+\.eyJ/);
    const handle = /'H2O_CLOUD_CLIENT_PLATFORM_TOKEN': '([^']+)'/.exec(environments)?.[1] as string;
    const elsewhere = await fetch(`${haic.url}/auth/realms/haic/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'haic-platform',
        refresh_token: handle,
      }),
    });
    assert.equal(elsewhere.status, 400);
  });

  test('an instance that others can open has no handle of its owner', async () => {
    const environment = await inside(haic, token, shared, 'import os\nprint(dict(os.environ))');
    assert.doesNotMatch(environment, /H2O_CLOUD_CLIENT_PLATFORM_TOKEN/);
  });

  test('tokens and secrets are in no log of the platform, nor of an instance', async () => {
    let logs = '';
    for (const entry of await readdir(path.join(haic.home, 'logs'), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) logs += await readFile(path.join(entry.parentPath, entry.name), 'utf8');
    logs += await (
      await fetch(`${haic.url}/api/v1/instances/${mine.id}/logs`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).text();
    assert.ok(logs.length > 1000);
    assert.doesNotMatch(logs, /eyJ[\w-]+\.eyJ/);
    for (const [name, secret] of await platformSecrets()) assert.ok(!logs.includes(secret), name);
    for (const password of Object.values(passwords)) assert.ok(!logs.includes(password));
  });
});

describe('6 cookies that an app sets', () => {
  test('cookies named like ours, of parent domains or by the dozen, are dropped; its own stay; the session lives on', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const planted = await browser.fetch(`${mine.origin}/plant`);
    assert.deepEqual(planted.headers['set-cookie'], ['own=kept; Path=/']);
    const again = await browser.fetch(`${mine.origin}/again`);
    assert.deepEqual(
      seenIn(again.body).headers.filter(([name]) => name.toLowerCase() === 'cookie'),
      [['cookie', 'own=kept']],
    );
    assert.match((await browser.fetch(`${haic.url}/session`)).body, /"ada"/);
  });

  test('fifty planted copies before the true cookie change nothing, and there is no loop', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const plants = Array.from({ length: 50 }, (_, n) => `haic_session=planted${n}`).join('; ');
    for (const url of [`${haic.url}/session`, `${mine.origin}/`]) {
      const cookie = `${plants}; ${browser.cookieHeader(new URL(url))}`;
      assert.equal((await browser.fetch(url, { headers: { cookie } })).status, 200, url);
    }
    const only = await new Browser(haic.port).fetch(`${mine.origin}/`, { headers: { cookie: plants } });
    assert.notEqual(only.status, 200);
  });
});

describe('7 sign-out', () => {
  test('ends the open WebSocket of an app and the app’s session; other people notice nothing', async () => {
    const adas = await asAda();
    const mallorys = await asMallory();
    const open = async (browser: Browser) => {
      await browser.open(`${shared.origin}/`);
      const cookie = browser.cookieHeader(new URL(shared.origin));
      const opened = await webSocket(haic, shared, { origin: shared.origin, cookie });
      assert.equal(opened.refused, undefined);
      return { cookie, socket: opened.socket };
    };
    const ada = await open(adas);
    const mallory = await open(mallorys);
    const closed = new Promise((resolve) => ada.socket.once('close', resolve));
    const since = Date.now();
    const out = await adas.submit(`${haic.url}/logout`, { csrf: await csrfTokenOf(haic, adas) });
    assert.equal(out.status, 303);
    await closed;
    assert.ok(Date.now() - since < 5000);
    const dead = await adas.fetch(`${shared.origin}/`, { headers: { cookie: ada.cookie, accept: '*/*' } });
    assert.equal(dead.status, 401);
    assert.equal(mallory.socket.readyState, mallory.socket.OPEN);
    assert.equal((await mallorys.fetch(`${shared.origin}/`)).status, 200);
    mallory.socket.terminate();
  });
});

describe('8 identity headers of clients', () => {
  const lies = {
    'X-H2O-User': 'admin',
    'x-haic-subject': 'admin',
    X_H2O_USER: 'admin',
    'X-Forwarded-User': 'admin',
    'X-Forwarded-For': '6.6.6.6',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Proto': 'gopher',
    'X-Haic-Signature': 'deadbeef',
    Forwarded: 'for=6.6.6.6;host=evil.test',
  };
  const check = (headers: readonly (readonly [string, string])[]) => {
    const text = JSON.stringify(headers);
    for (const lie of ['admin', '6.6.6.6', 'evil.test', 'gopher', 'deadbeef'])
      assert.ok(!text.includes(lie), `${lie} in ${text}`);
    const value = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1];
    assert.match(value('x-forwarded-for') ?? '', /^(127\.0\.0\.1|::1)$/);
    assert.equal(value('x-forwarded-host'), mine.host);
    assert.equal(value('x-forwarded-proto'), 'http');
  };

  test('are dropped on requests, upgrades and by the path form', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    check(seenIn((await browser.fetch(`${mine.origin}/`, { headers: lies })).body).headers);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const opened = await webSocket(haic, mine, { origin: mine.origin, cookie, headers: lies });
    assert.equal(opened.refused, undefined);
    check(opened.seen.headers);
    assert.ok(!opened.seen.headers.some(([name]) => /^(cookie|authorization)$/i.test(name)));
    opened.socket.terminate();
    const inPlace = await fetch(`${haic.url}/instance/${mine.id}/`, {
      headers: { ...lies, authorization: `Bearer ${token}` },
    });
    check(seenIn(await inPlace.text()).headers);
  });
});

describe('9 host confusion', () => {
  test('only exactly our hosts are served, and no other host borrows their rights', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const get = (head: string) =>
      exchange(haic, `GET ${head}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`);
    const ok = await get(`/ HTTP/1.1\r\nHost: ${mine.host}`);
    assert.deepEqual(statuses(ok), [200]);
    const cases = {
      'a trailing dot': `/ HTTP/1.1\r\nHost: ${mine.id}.localhost.:${haic.port}`,
      'two Host headers': `/ HTTP/1.1\r\nHost: ${mine.host}\r\nHost: evil.test`,
      'no Host': '/ HTTP/1.1',
      'another port': `/ HTTP/1.1\r\nHost: ${mine.id}.localhost:1`,
      'a stranger': '/ HTTP/1.1\r\nHost: evil.test',
      'an absolute target elsewhere': `http://evil.test/ HTTP/1.1\r\nHost: ${mine.host}`,
      'X-Forwarded-Host alone': `/ HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: ${mine.host}`,
      'a host under an app': `/ HTTP/1.1\r\nHost: a.${mine.host}`,
      'userinfo in Host': `/ HTTP/1.1\r\nHost: ${mine.host}@evil.test`,
    };
    for (const [what, head] of Object.entries(cases)) {
      const said = await get(head);
      assert.ok(
        statuses(said).every((status) => status >= 400),
        `${what}: ${said.slice(0, 200)}`,
      );
      assert.doesNotMatch(said, /"headers"/, what);
    }
  });

  test('an absolute target that contradicts Host decides by itself: no session of one host at another', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const said = await exchange(
      haic,
      `GET http://${mine.host}/ HTTP/1.1\r\nHost: localhost:${haic.port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );
    assert.ok(
      said.includes('400') ||
        seenIn(said.slice(said.indexOf('\r\n\r\n') + 4)).headers.some(
          ([name, value]) => name.toLowerCase() === 'host' && value === mine.host,
        ),
    );
  });

  test("another owner's instance looks like none at all", async () => {
    const mallory = await asMallory();
    const theirs = await mallory.open(`${mine.origin}/`);
    const none = await mallory.open(`http://00000000-0000-4000-8000-000000000000.localhost:${haic.port}/`);
    assert.deepEqual([theirs.status, none.status], [404, 404]);
    assert.equal(
      theirs.body.replaceAll(mine.id, ''),
      none.body.replaceAll(/0{8}-0{4}-40{3}-80{3}-0{12}/g, ''),
    );
  });
});

describe('10 smuggling', () => {
  test('ambiguous requests are refused and nothing of them reaches an app as a second request', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const base = `Host: ${mine.host}\r\nCookie: ${browser.cookieHeader(new URL(mine.origin))}\r\n`;
    const hidden = `GET /smuggled HTTP/1.1\r\nHost: ${mine.host}\r\n\r\n`;
    const cases = {
      'CL and TE': `POST / HTTP/1.1\r\n${base}Origin: ${mine.origin}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
      'two lengths': `POST / HTTP/1.1\r\n${base}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      'TE twice': `POST / HTTP/1.1\r\n${base}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
      'an obfuscated TE': `POST / HTTP/1.1\r\n${base}Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`,
      'a space before the colon': `POST / HTTP/1.1\r\n${base}Content-Length : ${hidden.length}\r\n\r\n${hidden}`,
      'a folded header': `GET / HTTP/1.1\r\n${base}X-Folded: a\r\n Transfer-Encoding: chunked\r\n\r\n`,
      'bare line feeds': `GET / HTTP/1.1\nHost: ${mine.host}\nX: y\n\n`,
      'a header of 200 kB': `GET / HTTP/1.1\r\n${base}X-Long: ${'a'.repeat(200_000)}\r\n\r\n`,
    };
    for (const [what, bytes] of Object.entries(cases)) {
      const said = await exchange(haic, bytes, /HTTP\/1\.1 4\d\d[\s\S]*\r\n\r\n/);
      const first = statuses(said)[0] ?? 400;
      assert.ok(first >= 400 && first < 500, `${what}: ${said.slice(0, 200)}`);
      assert.doesNotMatch(said, /"path": "\/smuggled"/, what);
    }
  });

  test('a header that Connection names is not passed on, and cannot take ours away', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const said = await exchange(
      haic,
      `GET / HTTP/1.1\r\nHost: ${mine.host}\r\nCookie: ${cookie}\r\nX-Mine: secret\r\nConnection: close, X-Mine, X-Forwarded-For, Cookie\r\n\r\n`,
    );
    const { headers } = seenIn(said.slice(said.indexOf('{')).replace(/\r\n0\r\n\r\n$/, ''));
    const names = headers.map(([name]) => name.toLowerCase());
    assert.ok(!names.includes('x-mine'));
    assert.ok(names.includes('x-forwarded-for'));
  });
});

describe('11 WebSockets', () => {
  test('are refused without a session, with a stranger’s, and from any other origin', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    await browser.open(`${shared.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const mallory = await asMallory();
    await mallory.open(`${shared.origin}/`);
    const strange = mallory.cookieHeader(new URL(shared.origin));
    const atShared = browser.cookieHeader(new URL(shared.origin));
    const portal = browser.cookieHeader(new URL(haic.url));
    const { origin } = mine;
    const cases: readonly [string, { origin?: string; cookie?: string }, number][] = [
      ['no session', { origin }, 401],
      ["another person's session", { origin, cookie: strange }, 401],
      ['the session of another host', { origin, cookie: atShared }, 401],
      ["the portal's session", { origin, cookie: portal }, 401],
      ["another app's page", { origin: shared.origin, cookie }, 403],
      ["the portal's page", { origin: haic.url, cookie }, 403],
      ['a stranger’s page', { origin: 'http://evil.test', cookie }, 403],
      ['no origin', { cookie }, 403],
      ['the null origin', { origin: 'null', cookie }, 403],
    ];
    for (const [what, options, status] of cases)
      assert.equal((await webSocket(haic, mine, options)).refused, status, what);
    const open = await webSocket(haic, mine, { origin, cookie });
    assert.equal(open.refused, undefined);
    open.socket.terminate();
  });
});

describe('12 cross-site requests', () => {
  test('every change by the portal’s cookie needs the token and our own origin, and is refused otherwise', async () => {
    const browser = await asAda();
    const csrf = await csrfTokenOf(haic, browser);
    const changes: readonly [string, string, string][] = [
      ['POST', '/api/v1/apps?visibility=PRIVATE', (await probeBundle('csrf')).toString('latin1')],
      ['PATCH', `/api/v1/apps/${mine.appId}`, '{"visibility":"PUBLIC"}'],
      ['DELETE', `/api/v1/apps/${mine.appId}`, ''],
      ['POST', `/api/v1/apps/${mine.appId}/instances`, '{}'],
      ['PATCH', `/api/v1/instances/${mine.id}`, '{"visibility":"PUBLIC"}'],
      ['DELETE', `/api/v1/instances/${mine.id}`, ''],
      ['POST', '/session/one-time-token', '{"kind":"platform"}'],
      ['POST', '/logout', 'csrf=wrong'],
    ];
    const attempts: Record<string, Record<string, string>> = {
      'a form of another site': {
        origin: 'http://evil.test',
        'content-type': 'application/x-www-form-urlencoded',
      },
      'JSON as plain text from an app': { origin: mine.origin, 'content-type': 'text/plain' },
      'no origin at all, with the token': { 'x-haic-csrf': csrf },
      'the right origin without the token': { origin: haic.url, 'content-type': 'application/json' },
      'a wrong token': { origin: haic.url, 'x-haic-csrf': `${csrf}x`, 'content-type': 'application/json' },
      'the null origin with the token': { origin: 'null', 'x-haic-csrf': csrf },
    };
    for (const [method, route, body] of changes) {
      for (const [what, headers] of Object.entries(attempts)) {
        const answer = await browser.fetch(`${haic.url}${route}`, { method, headers, body });
        assert.equal(answer.status, 403, `${method} ${route}: ${what}`);
      }
    }
    assert.equal(await statusOf(haic, token, 'GET', `/api/v1/instances/${mine.id}`), 200);
    assert.match((await browser.fetch(`${haic.url}/session`)).body, /"signedIn":true/);
  });

  test('an app’s own page changes its own app, another app’s page changes nothing', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const post = (origin: string) =>
      browser.fetch(`${mine.origin}/form`, { method: 'POST', headers: { origin }, body: 'x' });
    assert.equal((await post(mine.origin)).status, 200);
    for (const origin of [shared.origin, haic.url, 'http://evil.test', 'null'])
      assert.equal((await post(origin)).status, 403, origin);
  });
});

describe('23 sessions', () => {
  test('signing in makes a new session; cookies are HttpOnly, SameSite and host-only', async () => {
    const browser = new Browser(haic.port);
    const lines: string[] = [];
    const fetch = browser.fetch.bind(browser);
    browser.fetch = async (...call) => {
      const answer = await fetch(...call);
      lines.push(...(answer.headers['set-cookie'] ?? []));
      return answer;
    };
    await browser.signIn(`${haic.url}/login`, 'ada', passwords.ada as string);
    const first = browser.cookie('localhost', 'haic_session');
    await browser.open(`${mine.origin}/`);
    assert.ok(first !== undefined && first.length > 40);
    for (const line of lines.filter((one) => !/Max-Age=0|expires=Thu, 01 Jan 1970/i.test(one))) {
      assert.match(line, /; *httponly/i, line);
      assert.match(line, /; *samesite=(lax|strict)/i, line);
      assert.doesNotMatch(line, /domain=/i, line);
    }
    await browser.open(`${haic.url}/login?next=/`);
    assert.notEqual(browser.cookie('localhost', 'haic_session'), first);
    // The router hears from the database that the one before is over: within moments, and never later than what is promised.
    const headers = { cookie: `haic_session=${first}` };
    const old = () => new Browser(haic.port).fetch(`${haic.url}/session`, { headers });
    await until(async () => ((await old()).body.includes('"signedIn":false') ? true : undefined), {
      everyMs: 20,
      signal: deadline(5000),
    });
  });

  test('a session that was chosen by somebody else is not taken over at sign-in', async () => {
    const victim = new Browser(haic.port);
    victim.cookies.set('localhost haic_session', {
      host: 'localhost',
      name: 'haic_session',
      value: 'chosen-by-mallory',
      path: '/',
    });
    await victim.signIn(`${haic.url}/login`, 'ada', passwords.ada as string);
    assert.notEqual(victim.cookie('localhost', 'haic_session'), 'chosen-by-mallory');
  });

  test('1 where sign-in leads next never leaves the portal', async () => {
    const browser = await asAda();
    for (const next of [
      '//evil.test',
      '/\\evil.test',
      '/%09/evil.test',
      'http://localhost@evil.test/',
      '/%0d%0aX: y',
    ]) {
      const end = await browser.open(`${haic.url}/login?next=${encodeURIComponent(next)}`);
      assert.ok(new URL(end.url).origin === haic.url, `${next} led to ${end.url}`);
    }
  });
});

// Last, because it blocks this address for the victim.
describe('22 sign-in limits', () => {
  test('guessing is stopped after a few tries, and a browser that the victim signed in with before gets in at once', async () => {
    const own = await signedIn(haic, 'victim', passwords.victim as string);
    const guesser = new Browser(haic.port);
    const form = await guesser.open(`${haic.url}/login?next=/`);
    const guess = async (password: string) =>
      (await guesser.submit(form.url, { username: 'victim', password })).status;
    const answers: number[] = [];
    for (let n = 0; n < 8; n += 1) answers.push(await guess(`guess-${n}`));
    assert.ok(answers.includes(429), String(answers));
    assert.equal(await guess(passwords.victim as string), 429, 'not even the right one, from there');

    await own
      .submit(`${haic.url}/logout`, { csrf: await csrfTokenOf(haic, own) })
      .then(({ location }) => own.open(location));
    await own.signIn(`${haic.url}/login?next=/`, 'victim', passwords.victim as string);
    assert.match((await own.fetch(`${haic.url}/session`)).body, /"victim"/);
  });

  test('a very long password costs no more than a short one: it is refused before it is hashed', async () => {
    const browser = new Browser(haic.port);
    const form = await browser.open(`${haic.url}/login?next=/`);
    const answer = await browser.submit(form.url, { username: 'ada', password: 'x'.repeat(50_000) });
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
  });
});
