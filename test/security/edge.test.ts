import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  csrfTokenOf,
  exchange,
  operationsOf,
  type Probe,
  probeBundle,
  seenIn,
  signedIn,
  startProbe,
  statuses,
  statusOf,
  webSocket,
} from './support.ts';

/** What comes from outside to the router of a whole Haic: addresses, cookies, requests byte by byte. */

let haic: Haic;
let password: string;
let token: string;
let mine: Probe;
let open: Probe;
before(async () => {
  haic = await startHaic();
  password = await haic.addUser('ada');
  token = await haic.accessToken('ada');
  mine = await startProbe(haic, token);
  open = await startProbe(haic, token, 'open-probe', 'PUBLIC');
});
after(() => haic?.stop());

const asAda = () => signedIn(haic, 'ada', password);

describe('1 redirects', () => {
  /** Every way to write an address elsewhere that some browser or server has fallen for. */
  const lures = [
    '//evil.test',
    '///evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/%09/evil.test',
    '/%5cevil.test',
    '/%2f%2fevil.test',
    '/.//evil.test',
    '/..//evil.test',
    'http:evil.test',
    'http:/evil.test',
    'http://evil.test',
    'HTTPS://EVIL.TEST',
    ' http://evil.test',
    'javascript:alert(1)',
    'data:text/html,x',
    '/\r\nLocation: http://evil.test',
    '/%0d%0aLocation:%20http://evil.test',
    '/%E5%98%8D%E5%98%8ALocation:evil.test',
    '//evil.test%00.localhost',
    '?next=//evil.test',
    '@evil.test',
    '.evil.test',
    ':80@evil.test',
  ];
  const withHost = () => [
    `${haic.url}@evil.test/`,
    `${haic.url}.evil.test/`,
    `http://localhost:${haic.port}@evil.test/`,
    `http://ada:x@localhost:${haic.port}/`,
    `http://evil.test#@localhost:${haic.port}/`,
    `http://evil.test\\@localhost:${haic.port}/`,
  ];
  const ours = (url: string) => {
    const { origin, username } = new URL(url);
    const allowed = [haic.url, mine.origin, open.origin];
    return username === '' && allowed.includes(origin);
  };
  /** Follows every redirect; each must lead to a page of ours, and the last must not repeat the lure in what a browser acts on. */
  async function neverLeaves(browser: Browser, url: string): Promise<void> {
    let current = url;
    for (let hops = 0; hops < 20; hops += 1) {
      const answer = await browser.fetch(current);
      const refresh = /http-equiv="refresh"[^>]*url=([^"]*)/i.exec(answer.body)?.[1];
      assert.ok(refresh === undefined || ours(new URL(refresh, current).href), `${url}: refresh ${refresh}`);
      assert.doesNotMatch(answer.body, /(href|action|src)="[^"]*\/\/[^"/]*evil/i, url);
      if (answer.location === '') return;
      assert.ok(ours(answer.location), `${url} led to ${answer.location}`);
      current = answer.location;
    }
    assert.fail(`${url} redirects without end`);
  }

  test('sign-in, with a session and without one, leads nowhere else', async () => {
    const browser = await asAda();
    for (const next of [...lures, ...withHost()]) {
      for (const name of ['next', 'referer'])
        await neverLeaves(browser, `${haic.url}/login?${name}=${encodeURIComponent(next)}`);
    }
    for (const next of ['//evil.test', '/\\evil.test', `http://localhost:${haic.port}@evil.test/`]) {
      const fresh = new Browser(haic.port);
      const end = await fresh.signIn(`${haic.url}/login?next=${encodeURIComponent(next)}`, 'ada', password);
      assert.equal(end.url, `${haic.url}/`, next);
    }
  });

  test('sign-out leads nowhere else, whatever the address says', async () => {
    const browser = await asAda();
    for (const lure of [...lures, ...withHost()]) {
      const query = ['next', 'redirect', 'post_logout_redirect_uri', 'returnTo']
        .map((name) => `${name}=${encodeURIComponent(lure)}`)
        .join('&');
      await neverLeaves(browser, `${haic.url}/logout?${query}`);
      await neverLeaves(
        new Browser(haic.port),
        `${haic.url}/auth/realms/haic/protocol/openid-connect/logout?client_id=haic-portal&${query}`,
      );
    }
    const out = await browser.fetch(`${haic.url}/logout?next=//evil.test`, {
      method: 'POST',
      headers: { origin: haic.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: `csrf=${await csrfTokenOf(haic, browser)}&next=//evil.test`,
    });
    assert.equal(out.status, 303);
    await neverLeaves(browser, out.location);
  });

  test('opening an app leads nowhere else: by ticket, at its own address, by the path form', async () => {
    const browser = await asAda();
    for (const next of [...lures, ...withHost()]) {
      const toPortal = await browser.fetch(`${mine.origin}/`, { cookies: false });
      const ticket = new URL(toPortal.location);
      ticket.searchParams.set('next', next);
      await neverLeaves(browser, ticket.href);
    }
    // As they are, byte by byte: what parses addresses for us would straighten them out.
    for (const path of lures.filter((lure) => lure.startsWith('/') && !/[\r\n\t ]/.test(lure))) {
      for (const [host, target] of [
        [mine.host, path],
        [mine.host, `/instance/${mine.id}${path}`],
        [`localhost:${haic.port}`, `/instance/${mine.id}${path}`],
        [`localhost:${haic.port}`, path],
      ] as const) {
        const said = await exchange(
          haic,
          `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
        );
        const locations = [...said.matchAll(/^location: *(.*?)\r?$/gim)].map((match) => match[1] as string);
        assert.ok(locations.length <= 1, said);
        for (const location of locations)
          assert.ok(ours(new URL(location, `http://${host}`).href), `${host} ${target}: ${location}`);
      }
    }
  });

  test('resuming asks the portal by the instance’s id alone', async () => {
    await callApi(haic, token, 'POST', `/api/v1/instances/${open.id}/suspend`);
    const page = await (await asAda()).open(`${open.origin}/%2f%2fevil.test?next=//evil.test`);
    assert.equal(page.status, 503);
    const links = [...page.body.matchAll(/(?:href|action)="([^"]*)"/g)].map((match) => match[1] as string);
    assert.ok(links.some((link) => link === `${haic.url}/instances/${open.id}?resume=1`, links.join(' ')));
    for (const link of links) assert.ok(ours(new URL(link, open.origin).href), link);
  });
});

describe('5 leakage: addresses on the way', () => {
  test('no cookie, token or code of one hop is in the address or the referrer of another', async () => {
    const browser = new Browser(haic.port);
    const visited: { url: string; referrerPolicy: string }[] = [];
    const fetch = browser.fetch.bind(browser);
    browser.fetch = async (url, init) => {
      const answer = await fetch(url, init);
      visited.push({ url, referrerPolicy: String(answer.headers['referrer-policy']) });
      if (answer.location !== '') visited.push({ url: answer.location, referrerPolicy: 'no-referrer' });
      return answer;
    };
    await browser.signIn(`${mine.origin}/`, 'ada', password);
    await browser.open(`${haic.url}/auth/get-platform-token`);
    const addresses = visited.map(({ url }) => url);
    // Which sign-in a form belongs to is in its address by design, and worth nothing without the signature beside it.
    for (const { name, value } of browser.cookies.values())
      if (value.length > 20 && name !== 'haic_idp_interaction')
        assert.ok(!addresses.some((url) => url.includes(encodeURIComponent(value))), `${name} in an address`);
    assert.ok(!addresses.some((url) => /eyJ[\w-]+\.eyJ/.test(url) || url.includes(password)));
    // A code and a ticket are worth something once; where they are in the address, nothing is sent on as a referrer.
    for (const { url, referrerPolicy } of visited)
      if (/[?&](code|t|ticket)=/.test(url))
        assert.match(referrerPolicy, /^(no-referrer|same-origin|strict-origin)/, url);
  });
});

describe('6 planted cookies', () => {
  test('fifty of each of our names before the true one: signing in leads into the app, and nothing loops', async () => {
    const browser = new Browser(haic.port);
    const names = ['haic_session', 'haic_ticket', '__Host-haic_session', 'haic_idp_session', 'HAIC_SESSION'];
    const own = browser.cookieHeader.bind(browser);
    let signInNames: string[] = [];
    browser.cookieHeader = (url) => {
      const real = own(url);
      signInNames = real.match(/haic_signin_[\w-]+/g) ?? signInNames;
      const planted = [...names, ...signInNames].flatMap((name) =>
        Array.from({ length: name.startsWith('haic_signin_') ? 5 : 50 }, (_, n) => `${name}=planted${n}`),
      );
      return [...planted, real].filter((part) => part !== '').join('; ');
    };
    const end = await browser.signIn(`${mine.origin}/deep`, 'ada', password);
    assert.equal(end.url, `${mine.origin}/deep`);
    assert.equal(end.status, 200);
    assert.deepEqual(
      seenIn(end.body).headers.filter(([name]) => name.toLowerCase() === 'cookie'),
      [],
    );
  });
});

describe('9 and 10 requests byte by byte', () => {
  test('one host is one host, however it is written; every other is none', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const ask = (target: string, host: string) =>
      exchange(
        haic,
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      );
    for (const [target, host] of [
      ['/', mine.host.toUpperCase()],
      [`http://${mine.host}/`, mine.host],
      [`HTTP://${mine.host.toUpperCase()}/`, mine.host],
    ] as const) {
      const said = await ask(target, host);
      assert.deepEqual(statuses(said), [200], `${target} at ${host}`);
      assert.match(said, /"path": "\/"/, 'the app is asked for a path');
    }
    for (const [target, host] of [
      ['/', `${mine.host}.`],
      ['/', `${mine.id}.localhost`],
      ['/', `${mine.id}.localhost:0${haic.port}`],
      ['/', `${mine.id}.localhost:${haic.port},${open.host}`],
      ['/', `${mine.id}%2elocalhost:${haic.port}`],
      ['/', ` ${open.host} ${mine.host}`],
      [`http://${mine.host}/`, open.host],
      [`http://${mine.host}@${open.host}/`, open.host],
      [`http://${open.host}/`, mine.host],
      [`//${mine.host}/`, `localhost:${haic.port}`],
    ] as const) {
      const said = await ask(target, host);
      assert.doesNotMatch(said, /"headers"/, `${target} at ${host}: ${said.slice(0, 300)}`);
    }
  });

  test('pipelined requests are each judged by their own cookie, host and token, in order', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const get = (path: string, host: string, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
    const said = await exchange(
      haic,
      [
        get('/1', mine.host, `Cookie: ${cookie}\r\n`),
        get('/2', mine.host),
        get('/api/v1/me', `localhost:${haic.port}`, `Authorization: Bearer ${token}\r\n`),
        get('/api/v1/me', `localhost:${haic.port}`),
        get('/3', mine.host, 'Connection: close\r\n'),
      ].join(''),
    );
    assert.deepEqual(statuses(said), [200, 401, 200, 401, 401]);
    assert.doesNotMatch(said, /"path": "\/[23]"/);
  });

  test('a body that says something else than its length leaves no second request behind', async () => {
    const browser = await asAda();
    await browser.open(`${mine.origin}/`);
    const head = `Host: ${mine.host}\r\nOrigin: ${mine.origin}\r\nCookie: ${browser.cookieHeader(new URL(mine.origin))}\r\n`;
    const hidden = `GET /smuggled HTTP/1.1\r\n${head}\r\n`;
    const cases = {
      'chunk extensions': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3;a="\r\nb"\r\nabc\r\n0\r\n\r\n${hidden}`,
      'a long chunk extension': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3;${'x'.repeat(40_000)}\r\nabc\r\n0\r\n\r\n${hidden}`,
      'a bare line feed after the size': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n${hidden}`,
      'a size beyond numbers': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n${hidden}`,
      'a length beyond numbers': `POST /form HTTP/1.1\r\n${head}Content-Length: 99999999999999999999\r\n\r\n${hidden}`,
      'a negative length': `POST /form HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n${hidden}`,
      'a tab before chunked': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${hidden}`,
      'a quoted chunked': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${hidden}`,
      'a NUL in a name': `POST /form HTTP/1.1\r\n${head}Transfer-Encoding\0: chunked\r\nContent-Length: 0\r\n\r\n`,
    };
    for (const [what, bytes] of Object.entries(cases)) {
      const said = await exchange(haic, bytes, /HTTP\/1\.1 4\d\d[\s\S]*\r\n\r\n/);
      assert.doesNotMatch(said, /"path": "\/smuggled"/, what);
      assert.ok(
        statuses(said).every((status) => status >= 400 && status < 500),
        `${what}: ${statuses(said)}`,
      );
    }
    assert.equal(await statusOf(haic, token, 'GET', `/instance/${mine.id}/`), 200, 'the app goes on');
  });
});

describe('11 WebSockets', () => {
  test('one ends when its session is revoked on the page of one’s own sessions', async () => {
    const browser = await asAda();
    const other = await asAda();
    await browser.open(`${mine.origin}/`);
    const cookie = browser.cookieHeader(new URL(mine.origin));
    const opened = await webSocket(haic, mine, { origin: mine.origin, cookie });
    assert.equal(opened.refused, undefined);
    const closed = once(opened.socket, 'close', { signal: AbortSignal.timeout(5000) });
    const own = await browser.fetch(`${haic.url}/api/v1/me/tokens`, {
      headers: { accept: 'application/json' },
    });
    const { items } = JSON.parse(own.body) as { items: { id: string; kind: string; current: boolean }[] };
    const session = items.find(({ current }) => current);
    assert.ok(session !== undefined, own.body);
    const revoked = await other.fetch(`${haic.url}/api/v1/me/tokens/${session.id}`, {
      method: 'DELETE',
      headers: { origin: haic.url, 'x-haic-csrf': await csrfTokenOf(haic, other) },
    });
    assert.equal(revoked.status, 204, revoked.body);
    await closed;
    assert.equal((await browser.fetch(`${mine.origin}/`, { headers: { accept: '*/*' } })).status, 401);
    assert.match((await other.fetch(`${haic.url}/session`)).body, /"signedIn":true/);
  });
});

describe('12 cross-site requests', () => {
  test('every operation of the API that is no mere reading is refused without token and origin of ours', async () => {
    const browser = await asAda();
    const csrf = await csrfTokenOf(haic, browser);
    const changing = (await operationsOf(haic)).filter(({ method }) => !/^(GET|HEAD|OPTIONS)$/.test(method));
    assert.ok(changing.length > 12, String(changing.length));
    const json = { 'content-type': 'application/json' };
    const attempts: Record<string, Record<string, string>> = {
      'a form of another site': {
        origin: 'http://evil.test',
        'content-type': 'application/x-www-form-urlencoded',
      },
      'the same with the token': { origin: 'http://evil.test', ...json, 'x-haic-csrf': csrf },
      'a form with files of an app': {
        origin: mine.origin,
        'content-type': 'multipart/form-data; boundary=x',
      },
      'JSON as plain text of an app': { origin: mine.origin, 'content-type': 'text/plain' },
      'no origin': { ...json, 'x-haic-csrf': csrf },
      'the null origin': { origin: 'null', ...json, 'x-haic-csrf': csrf },
      'no token': { origin: haic.url, ...json },
      'an empty token': { origin: haic.url, ...json, 'x-haic-csrf': '' },
      'the token of another': { origin: haic.url, ...json, 'x-haic-csrf': `${csrf.slice(0, -2)}xx` },
      'two origins': { origin: `${haic.url}, http://evil.test`, ...json, 'x-haic-csrf': csrf },
    };
    for (const { method, path } of changing) {
      const address = path.replace('{username}', 'ada').replace(/\{\w+\}/g, mine.id);
      for (const [what, headers] of Object.entries(attempts)) {
        const answer = await browser.fetch(`${haic.url}${address}`, { method, headers, body: '{}' });
        assert.equal(answer.status, 403, `${method} ${path}: ${what}: ${answer.body}`);
        assert.match(answer.body, /foreign_origin|csrf_token_wrong/, `${method} ${path}: ${what}`);
      }
    }
  });

  test('every change at the services for programs, past the portal or through its door', async () => {
    const browser = await asAda();
    const csrf = await csrfTokenOf(haic, browser);
    const event = '/audit-trail/v1/events';
    const changes: readonly (readonly [string, string])[] = [
      ['POST', '/secure-store/v1/workspaces%2Fdefault/secrets?secretId=planted'],
      ['POST', '/secure-store/v1/workspaces%2Fdefault%2Fsecrets%2Fplanted:undelete'],
      ['POST', '/secure-store/v1/workspaces%2Fdefault%2Fsecrets%2Fplanted/versions'],
      ['DELETE', '/secure-store/v1/workspaces%2Fdefault%2Fsecrets%2Fplanted'],
      ['PATCH', '/secure-store/v1/oauthClients%2Fcorp?updateMask=*'],
      ['POST', '/secure-store/v1/oauthClients%2Fcorp/tokenSources'],
      ['POST', `${event}?eventId=00000000-0000-4000-8000-000000000000`],
      ['POST', `${event}:batchCreate`],
      ['POST', '/authz/v1/workspaces'],
      ['PATCH', '/authz/v1/workspaces%2Fdefault?updateMask=description'],
      ['DELETE', '/authz/v1/workspaces%2Fdefault'],
      ['POST', '/secure-store/ai.h2o.securestore.v1.SecretService/CreateSecret'],
    ];
    const attempts: Record<string, Record<string, string>> = {
      'a form of another site': {
        origin: 'http://evil.test',
        'content-type': 'application/x-www-form-urlencoded',
      },
      'JSON as plain text of an app': { origin: mine.origin, 'content-type': 'text/plain' },
      'no origin': { 'content-type': 'application/json', 'x-haic-csrf': csrf },
      'no token': { origin: haic.url, 'content-type': 'application/json' },
    };
    for (const [method, path] of changes)
      for (const [what, headers] of Object.entries(attempts)) {
        const ask = (url: string) => browser.fetch(url, { method, headers, body: '{}' });
        const through = await ask(`${haic.url}/api/services${path}`);
        assert.equal(through.status, 403, `${method} ${path} through the door: ${what}: ${through.body}`);
        // Cookies are worth nothing there, and a procedure takes no form even of who has a token.
        const past = await ask(`${haic.url}${path}`);
        assert.match(String(past.status), /^(401|415)$/, `${method} ${path}: ${what}: ${past.body}`);
      }
    const kept = '/secure-store/v1/workspaces/default/secrets/planted';
    assert.equal(await statusOf(haic, token, 'GET', kept), 404);
  });

  test('a bundle that another site sends as a form is not imported', async () => {
    const browser = await asAda();
    const answer = await browser.fetch(`${haic.url}/api/v1/apps`, {
      method: 'POST',
      headers: { origin: 'http://evil.test', 'content-type': 'application/octet-stream' },
      body: (await probeBundle('csrf')).toString('latin1'),
    });
    assert.equal(answer.status, 403);
    const listed = await callApi<{ items: { name: string }[] }>(haic, token, 'GET', '/api/v1/apps');
    assert.ok(!listed.body.items.some(({ name }) => name.includes('csrf')));
  });
});
