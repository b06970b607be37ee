import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import type { AuditedCall, CallAudit, CallOutcome } from '../audit/call-audit.ts';
import { unavailable } from '../errors.ts';
import type { HttpServer } from '../http/server.ts';
import { isUntold } from './audited.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { authorization, prefix, shelfOverGrpc, shelfOverHttp } from './testing/world.ts';

describe('methods that name what they do', () => {
  const calls: { readonly call: AuditedCall; outcome?: CallOutcome }[] = [];
  let away = false;
  let server: HttpServer;
  const audit: CallAudit = {
    begin: async (call) => {
      if (away) throw unavailable('audit_unavailable', 'Not now.');
      const entry: (typeof calls)[number] = { call };
      calls.push(entry);
      return {
        end: async (outcome) => {
          entry.outcome = outcome;
        },
        drop: async () => undefined,
      };
    },
  };
  const action = 'actions/shelf/books/GET';
  const told = { action, readOnly: true, resource: ({ name }: { name: string }) => `//shelf/${name}` };
  const choices = { methods: { getBook: { audit: told } } };
  before(async () => {
    ({ server } = await shelfOverHttp(choices, { audit }));
  });
  after(() => server.close());
  beforeEach(() => {
    calls.length = 0;
    away = false;
  });
  const rest = (name: string) =>
    server.inject({
      url: `${prefix}/v1/workspaces/w/books/${name}`,
      headers: { authorization, 'user-agent': 'test', 'x-forwarded-for': '198.51.100.1, 203.0.113.7' },
    });
  const connect = (name: string) =>
    server.inject({
      method: 'POST',
      url: `${prefix}/haic.testing.shelf.v1.ShelfService/GetBook`,
      headers: { authorization, 'content-type': 'application/json', 'connect-protocol-version': '1' },
      payload: JSON.stringify({ name: `workspaces/w/books/${name}` }),
    });

  it('are told with who, for which client, from where, over HTTP and JSON', async () => {
    assert.equal((await rest('one')).statusCode, 200);
    assert.deepEqual(calls, [
      {
        call: {
          action: 'actions/shelf/books/GET',
          readOnly: true,
          resource: '//shelf/workspaces/w/books/one',
          principal: 'users/ada',
          sourceIpAddress: '203.0.113.7',
          userAgent: 'test',
          metadata: { client: 'haic-portal' },
        },
        outcome: {},
      },
    ]);
  });

  it('are told without an address on the gRPC listener, where nobody but the caller vouches for one, in every protocol', async () => {
    const { server: listener, port } = await shelfOverGrpc(choices, audit);
    const options = { baseUrl: `http://127.0.0.1:${port}`, httpVersion: '2' as const };
    const transports = [
      createGrpcTransport(options),
      createConnectTransport(options),
      createGrpcWebTransport(options),
    ];
    const headers = { authorization, 'x-forwarded-for': '203.0.113.7' };
    try {
      for (const transport of transports)
        await createClient(ShelfService, transport).getBook({ name: 'workspaces/w/books/one' }, { headers });
    } finally {
      await listener.close(0);
    }
    assert.deepEqual(
      calls.map(({ call }) => call.sourceIpAddress),
      ['', '', ''],
    );
  });

  it('are told with their refusal, whatever the protocol, and with nothing of what broke inside', async () => {
    for (const ask of [rest, connect]) {
      calls.length = 0;
      await ask('missing');
      assert.equal(calls[0]?.outcome?.status?.code, 5);
      await ask('broken');
      assert.equal(calls[1]?.outcome?.status?.code, 13);
      assert.ok(!JSON.stringify(calls).includes('hunter2'));
    }
  });

  describe('of which only refusals are told here', () => {
    const when = 'refused' as const;
    const create = { action: 'actions/shelf/books/CREATE', when };
    const only: Parameters<typeof shelfOverHttp>[0] = {
      methods: {
        getBook: { audit: { ...told, when } },
        createBook: {
          deed: 'administer the store',
          audit: { ...create, resource: ({ parent }) => `//shelf/${parent}` },
        },
      },
    };
    let kept: HttpServer;
    before(async () => {
      ({ server: kept } = await shelfOverHttp(only, { audit }));
    });
    after(() => kept.close());
    const heard = () =>
      calls.map(({ call, outcome }) => [call.principal, call.resource ?? '', outcome?.status?.code]);
    const ask = (method: 'GET' | 'POST', at: string, token: string, payload?: string) =>
      kept.inject({
        ...{ method, url: `${prefix}${at}` },
        headers: {
          ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(at.startsWith('/v1') ? {} : { 'connect-protocol-version': '1' }),
        },
        ...(payload === undefined ? {} : { payload }),
      });
    const book = '/v1/workspaces/w/books';

    it('say nothing of what succeeds', async () => {
      assert.equal((await ask('GET', `${book}/one`, 'ada')).statusCode, 200);
      assert.deepEqual(calls, []);
    });

    it('say what was refused over HTTP and JSON, also before the method had it', async () => {
      await ask('GET', `${book}/missing`, 'ada');
      await ask('GET', `${book}/one`, 'wrong');
      await ask('POST', book, 'app', '{}');
      await ask('GET', `${book}/broken`, 'ada');
      assert.deepEqual(heard(), [
        ['users/ada', '//shelf/workspaces/w/books/missing', 5],
        ['users/unknown', '//shelf/workspaces/w/books/one', 16],
        ['users/ada', '//shelf/workspaces/w', 7],
      ]);
    });

    it('say what was refused because it could not be read', async () => {
      const { server: open } = await shelfOverHttp(
        { methods: { createBook: { audit: { ...create, resource: ({ parent }) => `//shelf/${parent}` } } } },
        { audit },
      );
      const answer = await open.inject({
        ...{ method: 'POST', url: `${prefix}${book}`, payload: '{"pageCount":"canary"}' },
        headers: { authorization, 'content-type': 'application/json' },
      });
      assert.equal(answer.statusCode, 400);
      assert.deepEqual(heard(), [['users/ada', '//shelf/workspaces/w', 3]]);
      await open.close();
    });

    it('say what was refused over gRPC and Connect', async () => {
      const procedure = '/haic.testing.shelf.v1.ShelfService';
      const named = JSON.stringify({ name: 'workspaces/w/books/missing' });
      await ask('POST', `${procedure}/GetBook`, 'ada', named);
      await ask('POST', `${procedure}/GetBook`, 'wrong', named);
      await ask('POST', `${procedure}/CreateBook`, 'app', '{}');
      const { server: listener, port } = await shelfOverGrpc(only, audit);
      const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
      const client = createClient(ShelfService, transport);
      const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
      try {
        await assert.rejects(client.getBook({ name: 'workspaces/w/books/missing' }, as('ada')));
        await assert.rejects(client.getBook({ name: 'workspaces/w/books/one' }, as('wrong')));
        await assert.rejects(client.createBook({}, as('app')));
      } finally {
        await listener.close(0);
      }
      const once = [
        ['users/ada', '//shelf/workspaces/w/books/missing', 5],
        ['users/unknown', '', 16],
        ['users/ada', '', 7],
      ];
      assert.deepEqual(heard(), [...once, ...once]);
    });
  });

  it('are not made when that cannot be recorded', async () => {
    away = true;
    const answer = await rest('one');
    assert.deepEqual([answer.statusCode, answer.headers['haic-code']], [503, 'audit_unavailable']);
  });

  it('are counted when they change something, by their name, and say neither what nor why not', () => {
    assert.ok(server.auditGaps.includes('haic.testing.shelf.v1.ShelfService/CreateBook'));
    assert.ok(!server.auditGaps.some((gap) => /\/(GetBook|ListBooks)$/.test(gap)));
    assert.equal(isUntold('createBook', { unaudited: 'told elsewhere' }), false);
  });
});
