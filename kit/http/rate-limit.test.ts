import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Principal } from '../auth/principal.ts';
import { unauthenticated } from '../errors.ts';
import { createLogger } from '../logging.ts';
import { createBuckets, createRateLimiter } from './rate-limit.ts';
import { createHttpServer } from './server.ts';

describe('a token bucket', () => {
  it('lets a burst through, then as many as the rate says, whatever the pauses', () => {
    let at = 0;
    const buckets = createBuckets({ perMinute: 60, burst: 3 }, () => at);
    const draw = () => buckets.draw('ada').allowed;
    assert.deepEqual([draw(), draw(), draw(), draw()], [true, true, true, false]);
    at += 999;
    assert.equal(draw(), false);
    at += 1;
    assert.deepEqual([draw(), draw()], [true, false]);
    at += 3_600_000;
    assert.deepEqual(
      [draw(), draw(), draw(), draw()],
      [true, true, true, false],
      'an hour saves up no more than a burst',
    );
    assert.equal(buckets.draw('ben').allowed, true);
  });

  it('gives nothing for a clock that goes backwards', () => {
    let at = 1_000_000;
    const buckets = createBuckets({ perMinute: 60, burst: 1 }, () => at);
    buckets.draw('ada');
    at = 0;
    assert.equal(buckets.draw('ada').allowed, false);
  });
});

describe('the rate limit of the API', () => {
  let at = 0;
  const server = createHttpServer({
    logger: createLogger('test', 'silent'),
    rateLimiter: createRateLimiter({
      person: { perMinute: 60, burst: 3 },
      address: { perMinute: 60, burst: 2 },
      now: () => at,
    }),
    verifyToken: async (token) => {
      if (token === 'bad') throw unauthenticated();
      const isService = token === 'service';
      return {
        subject: token,
        party: isService ? 'haic-service-router' : 'haic-portal',
        partyKind: isService ? 'service' : 'portal',
      } as Principal;
    },
  });
  server.get('/api/v1/things', { config: { deed: 'see apps' } }, () => ({ fine: true }));
  server.get('/api/v1/for-services', { config: { deed: 'route' } }, () => ({ fine: true }));
  server.get('/api/login', { config: { public: 'for the test' } }, () => 'a way to sign in somewhere');
  server.get('/page', { config: { public: 'for the test' } }, () => 'page');
  const get = (url: string, token?: string, address = '10.0.0.1') =>
    server.inject({
      url,
      headers: {
        'x-forwarded-for': `9.9.9.9, ${address}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
  const statuses = async (count: number, ask: () => ReturnType<typeof get>) => {
    const seen: number[] = [];
    for (let i = 0; i < count; i += 1) seen.push((await ask()).statusCode);
    return seen;
  };

  it('stops one person and no other, and says when to go on', async () => {
    assert.deepEqual(await statuses(4, () => get('/api/v1/things', 'ada')), [200, 200, 200, 429]);
    const refused = await get('/api/v1/things', 'ada');
    assert.equal(refused.json().code, 'too_many_requests');
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(refused.headers['ratelimit-policy'], '"person";q=3;w=3');
    assert.equal(refused.headers.ratelimit, '"person";r=0;t=3');
    const other = await get('/api/v1/things', 'ben');
    assert.deepEqual([other.statusCode, other.headers.ratelimit], [200, '"person";r=2;t=1']);
    at += 1000;
    assert.equal((await get('/api/v1/things', 'ada')).statusCode, 200);
  });

  it('stops who has no valid token by the address they come from', async () => {
    assert.deepEqual(await statuses(3, () => get('/api/v1/things', 'bad')), [401, 401, 429]);
    assert.equal((await get('/api/v1/things')).statusCode, 429);
    assert.equal(
      (await get('/api/v1/things', 'carl')).statusCode,
      200,
      'who is signed in is not held up by their neighbours',
    );
    assert.equal((await get('/api/v1/things', 'bad', '10.0.0.2')).statusCode, 401);
    assert.deepEqual(
      await statuses(3, () =>
        get('/api/v1/things', 'bad', `2001:db8::${Math.random().toString(16).slice(2, 6)}`),
      ),
      [401, 401, 429],
      'one network of IPv6 is one address',
    );
  });

  it('counts what needs no token by the address, too', async () => {
    const ask = () => get('/api/login', undefined, '10.0.0.9');
    assert.deepEqual(await statuses(3, ask), [200, 200, 429]);
    assert.equal((await get('/api/login', 'bad', '10.0.0.9')).statusCode, 429, 'a token that is none');
    assert.deepEqual(
      await statuses(4, () => get('/api/login', 'dora', '10.0.0.9')),
      [200, 200, 200, 429],
      'who is signed in counts as themselves there, too',
    );
  });

  it('lets services and pages pass', async () => {
    assert.deepEqual(
      new Set(await statuses(9, () => get('/api/v1/for-services', 'service'))),
      new Set([200]),
    );
    assert.deepEqual(new Set(await statuses(9, () => get('/page'))), new Set([200]));
  });
});
