import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import type { CallAudit } from '@haic/kit/audit/call-audit.ts';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import { callUnary } from '@haic/kit/grpc-gateway/testing/foreign-client.ts';
import { ShelfService } from '@haic/kit/grpc-gateway/testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { createShelf } from '@haic/kit/grpc-gateway/testing/shelf.ts';
import { authorization, verifyToken } from '@haic/kit/grpc-gateway/testing/world.ts';
import { createRateLimiter } from '@haic/kit/http/rate-limit.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { rateLimitsOf } from './api.ts';
import { createServiceHost } from './service-host.ts';
import { grpcPort, readSettings } from './settings.ts';

const address = { prefix: '/shelf', id: 'shelf', displayName: 'Shelf', pythonClient: 'shelf==1.0' } as const;

describe('where protobuf services live', () => {
  it('is a prefix, the gRPC listener and discovery', async () => {
    const logger = createLogger('test', 'silent');
    const server = createHttpServer({ logger, verifyToken });
    const settings = readSettings({ HAIC_PORT: String((await freePort()) - 3) });
    const rateLimiter = createRateLimiter(rateLimitsOf(settings));
    const audit: CallAudit = {
      begin: () => Promise.reject(new Error('Nothing that has to be told happens here.')),
    };
    const host = createServiceHost({ server, verifyToken, settings, audit, rateLimiter, logger });
    const services = [serve(ShelfService, createShelf())];
    await host.mount(address, { services, deed: 'see apps' });
    await host.listen();
    const client = new Client(`localhost:${grpcPort(settings)}`, credentials.createInsecure());
    try {
      const probe = await server.inject({ url: '/shelf/version' });
      assert.equal(probe.statusCode, 200, 'the login probe of clients has no token');
      assert.equal((await server.inject({ url: '/shelf/v1/workspaces/w/books/b' })).statusCode, 401);
      for (const url of ['/shelf/v1/workspaces/w/books/b', '/shelf//v1/workspaces%2Fw%2Fbooks%2Fb']) {
        const answer = await server.inject({ url, headers: { authorization } });
        assert.equal(answer.json().book.name, 'workspaces/w/books/b', url);
      }
      const { book } = await callUnary(client, ShelfService.method.getBook, { name: 'b' });
      assert.equal(book?.name, 'b');
      const { prefix, ...record } = address;
      assert.deepEqual(host.records(), [{ ...record, uri: `${settings.publicUrl}${prefix}` }]);
    } finally {
      client.close();
      await host.close();
      await server.close();
    }
    await assert.rejects(callUnary(client, ShelfService.method.getBook, { name: 'b' }), 'nothing listens');
  });
});

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0));
    });
  });
