import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import type { HttpServer } from '../http/server.ts';
import { toHaicError } from './errors.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { authorization, prefix, shelfOverHttp } from './testing/world.ts';

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  'Connect in JSON': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
};

for (const [name, transport] of Object.entries(transports))
  describe(`${name} on the HTTP server`, () => {
    let server: HttpServer;
    let url: string;
    before(async () => {
      ({ server } = await shelfOverHttp({ methods: { deleteBook: { deed: 'change apps' } } }));
      url = await server.listen({ port: 0, host: '127.0.0.1' });
    });
    after(() => server.close());
    const client = () => createClient(ShelfService, transport(`${url}${prefix}`));
    const as = (token: string) => ({ headers: { authorization: token } });
    const refusedWith = (code: Code) => (error: unknown) =>
      error instanceof ConnectError && error.code === code;

    it('answers a call', async () => {
      const { book } = await client().echoBook({ book: { copiesSold: 2n ** 60n } }, as(authorization));
      assert.equal(book?.copiesSold, 2n ** 60n);
      assert.equal((await client().getBook({ name: 'b' }, as(authorization))).book?.name, 'b');
    });

    it('streams, and ends a stream with its error', async () => {
      const lines: number[] = [];
      await assert.rejects(async () => {
        for await (const { line } of client().readBook({ lines: 2, fail: true }, as(authorization)))
          lines.push(line);
      }, refusedWith(Code.InvalidArgument));
      assert.deepEqual(lines, [1, 2]);
    });

    it('refuses in its own form who has no token, or of a kind of client that may not', async () => {
      await assert.rejects(client().getBook({ name: 'b' }), refusedWith(Code.Unauthenticated));
      await assert.rejects(
        client().readBook({ lines: 1 })[Symbol.asyncIterator]().next(),
        refusedWith(Code.Unauthenticated),
      );
      await assert.rejects(
        client().deleteBook({ name: 'b' }, as('Bearer app')),
        refusedWith(Code.PermissionDenied),
      );
    });

    it('brings an error of ours to who asks, as it was', async () => {
      const error = await client()
        .getBook({ name: 'taken' }, as(authorization))
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ConnectError);
      const { code, status, message } = toHaicError(error);
      assert.deepEqual([code, status, message], ['name_taken', 409, 'That name is taken. Choose another.']);
    });

    it('ends a call at its deadline', async () => {
      await assert.rejects(
        client().wait({}, { ...as(authorization), timeoutMs: 50 }),
        refusedWith(Code.DeadlineExceeded),
      );
    });
  });
