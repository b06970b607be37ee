import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { Type } from '@fastify/type-provider-typebox';
import { wellKnownClients } from '../auth/principal.ts';
import { forbidden, HaicError, notFound, unauthenticated } from '../errors.ts';
import { createHttpServer } from '../http/server.ts';
import { createLogger } from '../logging.ts';
import type { AuditedCall, CallAudit, CallOutcome } from './call-audit.ts';
import { filled, forgetCall } from './routes.ts';

const calls: { call: AuditedCall; outcome?: CallOutcome; dropped?: true }[] = [];
let away = false;
const audit: CallAudit = {
  begin: async (call) => {
    if (away) throw new HaicError('audit_unavailable', 503, 'Not now.');
    const entry: (typeof calls)[number] = { call };
    calls.push(entry);
    return {
      end: async (outcome) => {
        entry.outcome = outcome;
      },
      drop: async () => {
        entry.dropped = true;
      },
    };
  },
};

describe('routes that name what they do', () => {
  const done: string[] = [];
  const server = createHttpServer({
    logger: createLogger('test', 'silent'),
    verifyToken: async (token) => {
      if (token !== 'ada' && token !== 'app') throw unauthenticated();
      const party = token === 'app' ? 'haic-app-i1' : wellKnownClients.portal;
      return {
        ...{ subject: 'u1', username: 'ada', name: undefined, email: undefined, roles: [], groups: [] },
        ...{ party, partyKind: token === 'app' ? 'app' : 'portal', token },
        ...{ instanceId: token === 'app' ? 'i1' : undefined, expiresAt: 4_000_000_000 },
      } as const;
    },
    checkAnswers: false,
    audit,
  });
  const thing = { action: 'actions/test/things/CHANGE', resource: '//test/things/{id}' };
  server.post('/things', {
    schema: { body: Type.Object({ color: Type.Literal('red') }) },
    config: {
      deed: 'see apps',
      audit: {
        action: 'actions/test/things/CREATE',
        resource: '//test/things/{answer.id}',
        parameters: ['color', 'tags'],
      },
    },
    handler: async () => ({ id: 'new', secret: 'canary' }),
  });
  server.patch<{ Params: { id: string } }>('/things/:id', {
    config: { deed: 'change apps', audit: thing },
    handler: async (request) => {
      if (request.params.id === 'bad') throw forbidden('role_too_low', 'You may not.');
      if (request.params.id === 'taken') throw new HaicError('name_taken', 409, 'It is taken.');
      if (request.params.id === 'broken') throw new Error('password=hunter2');
      done.push(request.params.id);
      return {};
    },
  });
  server.get('/things/:id/log', {
    config: { deed: 'see apps', audit: { ...thing, readOnly: true } },
    handler: async (request) => {
      await forgetCall(request);
      return 'lines';
    },
  });
  const kept = { action: 'actions/test/kept/CHANGE', resource: '//test/kept/{id}', parameters: ['kind'] };
  const answerKept = async (request: { params: { id: string } }) => {
    const { id } = request.params;
    if (id === 'missing') throw notFound('It');
    if (id === 'bad') throw forbidden('role_too_low', 'You may not.');
    if (id === 'broken') throw new Error('password=hunter2');
    return {};
  };
  server.patch<{ Params: { id: string } }>(
    '/kept/:id',
    { config: { deed: 'change apps', audit: { ...kept, when: 'refused' } } },
    answerKept,
  );
  server.get<{ Params: { id: string } }>(
    '/kept/:id',
    { config: { deed: 'see apps', audit: { ...kept, readOnly: true, when: 'denied' } } },
    answerKept,
  );
  server.delete('/forgotten', { config: { deed: 'see apps' }, handler: async () => ({}) });
  after(() => server.close());
  beforeEach(() => {
    calls.length = 0;
    done.length = 0;
    away = false;
  });
  const ask = (method: 'POST' | 'PATCH' | 'GET', url: string, payload?: object, token = 'ada') =>
    server.inject({
      ...{ method, url, remoteAddress: '10.0.0.1' },
      headers: {
        authorization: `Bearer ${token}`,
        'user-agent': 'test',
        'x-forwarded-for': '198.51.100.1, 203.0.113.7',
      },
      ...(payload === undefined ? {} : { payload }),
    });

  it('are told with who, for which client, from where, and what became of it', async () => {
    await ask('POST', '/things', { color: 'red', tags: ['a', 'b'], password: 'canary' });
    assert.deepEqual(calls, [
      {
        call: {
          action: 'actions/test/things/CREATE',
          readOnly: false,
          principal: 'users/u1',
          resource: '//test/things',
          requestParameters: { color: 'red', tags: 'a, b' },
          // What the router appended, and not what the client sent.
          sourceIpAddress: '203.0.113.7',
          userAgent: 'test',
          metadata: { client: 'haic-portal' },
        },
        outcome: { resource: '//test/things/new' },
      },
    ]);
    assert.ok(!JSON.stringify(calls).includes('canary'));
  });

  it('are told when they are refused, with the code and the words of the refusal', async () => {
    for (const [id, code, words] of [
      ['bad', 7, 'role_too_low: You may not.'],
      ['taken', 6, 'name_taken: It is taken.'],
    ] as const) {
      calls.length = 0;
      await ask('PATCH', `/things/${id}`, {});
      assert.deepEqual(calls[0]?.outcome?.status, { code, message: words });
    }
    await ask('PATCH', '/things/broken', {});
    assert.equal(calls.at(-1)?.outcome?.status?.code, 13);
    assert.ok(!JSON.stringify(calls).includes('hunter2'));
  });

  it('are told when that kind of client may not do it at all, and then only so often', async () => {
    assert.equal((await ask('PATCH', '/things/1', {}, 'app')).statusCode, 403);
    assert.equal(calls[0]?.outcome?.status?.code, 7);
    assert.match(
      calls[0]?.outcome?.status?.message ?? '',
      /^app_token_refused: A token of an app cannot change apps/,
    );
    assert.deepEqual(calls[0]?.call.metadata, { client: 'haic-app-i1', app_instance: 'i1' });
    for (let n = 0; n < 200; n += 1) await ask('PATCH', '/things/1', {}, 'app');
    assert.ok(calls.length <= 60, `${calls.length} refusals were told`);
  });

  it('are told when nobody may be seen behind them, as of somebody unknown', async () => {
    assert.equal((await ask('PATCH', '/things/1', {}, 'wrong')).statusCode, 401);
    assert.equal(calls.length, 1);
    const { call, outcome } = calls[0] ?? {};
    assert.deepEqual(
      [call?.principal, call?.resource, call?.sourceIpAddress, outcome?.status?.code],
      ['users/unknown', '//test/things/1', '203.0.113.7', 16],
    );
  });

  it('are told when what was sent is refused unread, without a word of it', async () => {
    assert.equal((await ask('POST', '/things', { color: 7, tags: ['canary'] })).statusCode, 400);
    assert.deepEqual(
      calls.map(({ call, outcome }) => [call.principal, call.requestParameters, outcome?.status?.code]),
      [['users/u1', {}, 3]],
    );
    assert.ok(!JSON.stringify(calls).includes('canary'));
  });

  it('whose success is told elsewhere are told when they are refused, for whatever reason', async () => {
    assert.equal((await ask('PATCH', '/kept/1?kind=a', {})).statusCode, 200);
    assert.equal(calls.length, 0);
    for (const [id, token, code] of [
      ['missing', 'ada', 5],
      ['bad', 'ada', 7],
      ['1', 'wrong', 16],
    ] as const) {
      calls.length = 0;
      await ask('PATCH', `/kept/${id}?kind=a`, {}, token);
      const { call, outcome } = calls[0] ?? {};
      assert.deepEqual(
        [call?.resource, call?.requestParameters, outcome?.status?.code],
        [...[`//test/kept/${id}`, { kind: 'a' }, code]],
      );
    }
    calls.length = 0;
    await ask('PATCH', '/kept/broken', {});
    assert.equal(calls.length, 0, 'what breaks is no refusal');
  });

  it('that only look are told where somebody may not, and not where nothing is', async () => {
    await ask('GET', '/kept/missing');
    assert.equal(calls.length, 0);
    await ask('GET', '/kept/bad');
    await ask('GET', '/kept/1', undefined, 'wrong');
    assert.deepEqual(
      calls.map(({ outcome }) => outcome?.status?.code),
      [7, 16],
    );
  });

  it('do nothing when it cannot be recorded', async () => {
    away = true;
    const answer = await ask('PATCH', '/things/1', {});
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'audit_unavailable']);
    assert.deepEqual(done, []);
  });

  it('may find that there is nothing to tell', async () => {
    await ask('GET', '/things/1/log');
    assert.deepEqual([calls[0]?.dropped, calls[0]?.outcome], [true, undefined]);
  });

  it('are counted when they change something and say neither what nor why not', () => {
    assert.deepEqual(server.auditGaps, ['DELETE /forgotten']);
  });

  it('name their resource as far as it is known', () => {
    assert.equal(filled('//a/b/{id}/c/{d}', { id: 'x y', d: '../z' }, undefined), '//a/b/x%20y/c/..%2Fz');
    assert.equal(filled('//a/b/{id}/c', {}, undefined), '//a/b');
    assert.equal(filled('//a/b/{answer.one.two}', {}, { one: { two: 'x' } }), '//a/b/x');
    assert.equal(filled('//a/b/{answer.constructor.name}', {}, {}), '//a/b');
  });
});
