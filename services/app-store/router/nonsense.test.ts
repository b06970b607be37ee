import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { endOf, exchange, statusOf } from '@haic/kit/proxy/testing.ts';
import {
  cookiesForApp,
  cookiesForIssuer,
  isPlatformCookie,
  parseCookies,
  setCookieFromApp,
  valuesOf,
} from './cookies.ts';
import { laxPath, safeNext } from './paths.ts';
import {
  app,
  appUrl,
  asAda,
  headerIn,
  hostOf,
  mine,
  open,
  platform,
  seen,
  setUp,
  tearDown,
} from './test-world.ts';

const runs = Number(process.env.HAIC_FUZZ_RUNS ?? 400);
const seed = Number(process.env.HAIC_FUZZ_SEED ?? 1);

/** A small generator whose sequence a seed repeats (mulberry32). */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const words = [
  ...[
    'haic_session',
    'HAIC_Session',
    '__Host-haic_session',
    '__Secure-haic_x',
    'haic_ticket',
    'haic_signin_',
  ],
  ...['haic_idp_session', 'oidcsession', 'oidcsession_', 'oidcsession_0123456789abcdef', 'own', 'a'],
  ...[
    '=',
    '==',
    ';',
    '; ',
    ';;',
    ',',
    '"',
    '\\',
    ' ',
    '\t',
    '%',
    '%00',
    '%3D',
    '.',
    '..',
    '/',
    '//',
    '?',
    '#',
    '@',
    ':',
  ],
  ...[
    'Domain=',
    'domain=localhost',
    'Path=/',
    'Max-Age=0',
    'Secure',
    'HttpOnly',
    '$Version',
    'é',
    '\u0080',
    'ÿ',
    '😀',
  ],
  ...[
    'A'.repeat(42),
    'x'.repeat(500),
    '0',
    '-1',
    '__proto__',
    'constructor',
    'undefined',
    'null',
    'evil.test',
  ],
];
const nonsense = (random: (below: number) => number, most = 12): string =>
  Array.from({ length: random(most) }, () => words[random(words.length)] ?? '').join('');

describe('nonsense in cookies and addresses, read', () => {
  test(`never throws, and shows neither app nor issuer what is not theirs (${runs} runs, seed ${seed})`, () => {
    const random = randomFrom(seed);
    for (let run = 0; run < runs * 10; run += 1) {
      const header = nonsense(random);
      valuesOf(header, 'haic_session');
      const oidcCookie = 'oidcsession_0123456789abcdef';
      const shown = cookiesForApp(header, random(2) === 0 ? undefined : oidcCookie) ?? '';
      for (const { name } of parseCookies(shown)) {
        assert.doesNotMatch(name, /^(__(host|secure)-)?haic_/i, header);
        assert.doesNotMatch(name, /^oidcsession_/i, header);
      }
      for (const { name } of parseCookies(cookiesForIssuer(header) ?? ''))
        assert.match(name, /^(__Secure-)?haic_idp_/, header);
      const line = setCookieFromApp(header, hostOf(mine), oidcCookie) ?? 'own=1';
      assert.doesNotMatch(line, /^\s*(__(host|secure)-)?haic_/i, header);
      assert.doesNotMatch(line, /;\s*domain\s*=\s*\.?localhost\s*(;|$)/i, header);
      const next = new URL(safeNext(header, 'http://localhost:8080'));
      assert.deepEqual([next.origin, next.username], ['http://localhost:8080', ''], header);
      assert.doesNotMatch(laxPath(`/${header}`) ?? '/', /\/\.\.?(\/|$)|\/\//, header);
    }
  });

  test('of great size is read in little time', () => {
    const giant = 'haic_session=x; '.repeat(2000);
    assert.equal(valuesOf(giant, 'haic_session').length, 2000);
    for (const text of [
      giant,
      ';'.repeat(32_000),
      '='.repeat(32_000),
      'a=b;'.repeat(8000),
      ' '.repeat(32_000),
    ]) {
      cookiesForApp(text, undefined);
      setCookieFromApp(text, 'localhost', undefined);
      laxPath(`/${'../'.repeat(10_000)}${text}`);
    }
  });
});

describe('nonsense to the router', () => {
  before(setUp);
  after(tearDown);

  const line = (text: string) =>
    Buffer.from(text.replace(/[\r\n\0]/g, ''))
      .toString('latin1')
      .trim();
  const ask = (target: string, host: string, headers: string) =>
    exchange(
      platform.port,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n${headers}Connection: close\r\n\r\n`,
    );

  test(`in the Cookie header opens nothing, breaks nothing, and hides no true session (${runs} runs, seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const real = browser.cookieHeader(new URL(appUrl(mine)));
    const secret = browser.cookie(hostOf(mine), 'haic_session');
    const at = `${hostOf(mine)}:${platform.port}`;
    for (let run = 0; run < runs; run += 1) {
      const header = line(nonsense(random));
      const without = statusOf(await ask('/', at, `Cookie: ${header}\r\n`));
      assert.ok([302, 400, 401].includes(without), `${without} for ${JSON.stringify(header)}`);
      // A quote does not hide what follows it: browsers do not quote either.
      const beside = await ask('/', at, `Cookie: ${header}; ${real}\r\n`);
      assert.ok(
        [200, 400].includes(statusOf(beside)),
        `${statusOf(beside)} beside ${JSON.stringify(header)}`,
      );
      if (statusOf(beside) !== 200) continue;
      const shown = headerIn(seen(beside.slice(beside.indexOf('{'))).raw, 'cookie').flatMap(parseCookies);
      for (const { name, value } of shown)
        assert.ok(!isPlatformCookie(name) && value !== secret, `${name} beside ${JSON.stringify(header)}`);
    }
  });

  test(`in the parameters of tickets and sign-ins is refused or ignored (${runs} runs, seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const browser = await asAda();
    const portal = browser.cookieHeader(new URL(platform.publicUrl));
    const at = `localhost:${platform.port}`;
    const tickets = async () =>
      (await platform.database.sql<{ n: number }[]>`select count(*)::int as n from router.tickets`)[0]?.n;
    const before = await tickets();
    for (let run = 0; run < runs; run += 1) {
      const value = () => {
        const text =
          random(3) === 0 ? nonsense(random).replace(/[\s#]/g, '+') : encodeURIComponent(nonsense(random));
        return line(text);
      };
      const targets: [string, string][] = [
        [at, `/auth/ticket?instance=${value()}&next=${value()}&browser=${value()}`],
        [at, `/auth/ticket?instance=${mine}&next=${value()}&browser=${value()}`],
        [at, `/auth/ticket?${value()}`],
        [at, `/login?next=${value()}&${value()}`],
        [at, `/oauth2/callback?code=${value()}&state=${value()}&iss=${value()}`],
        [at, `/auth/get-token/callback?code=${value()}&state=${value()}`],
        [at, `/instance/${value()}`],
        [`${hostOf(mine)}:${platform.port}`, `/.haic/ticket?t=${value()}`],
        [`${hostOf(mine)}:${platform.port}`, `/.haic/${value()}`],
      ];
      for (const [host, target] of targets) {
        const answer = await ask(target, host, `Cookie: ${portal}\r\n`);
        const status = statusOf(answer);
        assert.ok(status >= 300 && status < 500, `${status} for ${target}`);
        const location = /^location: (.*)\r$/im.exec(answer)?.[1];
        assert.ok(
          location === undefined ||
            [platform.publicUrl, new URL(appUrl(mine)).origin].includes(new URL(location).origin) ||
            new URL(location).hostname.endsWith('.localhost'),
          `${target} led to ${location}`,
        );
      }
    }
    assert.equal(await tickets(), before, 'no ticket came of it');
    assert.match((await browser.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":true/);
  });

  /** Says that nothing follows, so that the router does not wait for the rest of what is broken. */
  async function sentWhole(bytes: Buffer): Promise<string> {
    const socket = connect({ port: platform.port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1'))).on('error', () => {});
    socket.end(bytes);
    await endOf(socket);
    socket.destroy();
    return answer;
  }

  test(`byte by byte costs the one connection and no other (${runs} runs, seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const good = `GET /x HTTP/1.1\r\nHost: ${hostOf(open)}:${platform.port}\r\nConnection: close\r\nX-A: b\r\n\r\n`;
    let sent = 0;
    app.answer = (_request, response) => {
      sent += 1;
      response.end('ok');
      return true;
    };
    for (let run = 0; run < runs; run += 1) {
      const bytes = Buffer.from(good);
      for (let change = 0; change <= random(4); change += 1) bytes[random(bytes.length)] = random(256);
      const answer = await sentWhole(bytes);
      assert.ok(answer === '' || /^HTTP\/1\.1 [234]\d\d /.test(answer), answer.slice(0, 200));
    }
    app.answer = undefined;
    assert.ok(sent <= runs, 'one request is one request');
    assert.equal(seen((await asAda().then((browser) => browser.open(appUrl(mine)))).body).url, '/');
  });
});
