import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createRateLimiter } from '../http/rate-limit.ts';
import type { HttpServer } from '../http/server.ts';
import type { GrpcServer } from './grpc-server.ts';
import { callUnary } from './testing/foreign-client.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { authorization, prefix, shelfOverGrpc, shelfOverHttp } from './testing/world.ts';

const procedure = `${prefix}/${ShelfService.typeName}/GetBook`;
const name = 'workspaces/w/books/b';

describe('the rate limit of the API, for protobuf services', () => {
  let at = 0;
  const rateLimiter = createRateLimiter({
    person: { perMinute: 60, burst: 4 },
    address: { perMinute: 60, burst: 2 },
    now: () => at,
  });
  let http: HttpServer;
  let httpUrl: string;
  let grpc: GrpcServer;
  let client: Client;
  before(async () => {
    http = (await shelfOverHttp({}, {}, rateLimiter)).server;
    httpUrl = await http.listen({ host: '127.0.0.1', port: 0 });
    const world = await shelfOverGrpc({}, undefined, rateLimiter);
    grpc = world.server;
    client = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await grpc.close(0);
    await http.close();
  });

  const byJson = (headers: Record<string, string> = { authorization }) =>
    fetch(`${httpUrl}${prefix}/v1/${name}`, { headers });
  const byConnect = () =>
    fetch(`${httpUrl}${procedure}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'connect-protocol-version': '1' },
      body: JSON.stringify({ name }),
    });
  const byGrpc = (token: string = authorization) =>
    callUnary(client, ShelfService.method.getBook, { name }, { token }).then(
      () => status.OK,
      (error: ServiceError) => error,
    );

  it('counts a person’s calls together, by HTTP and JSON, by Connect and by gRPC, and refuses in the words of each', async () => {
    assert.equal((await byJson()).status, 200);
    assert.equal((await byConnect()).status, 200);
    assert.equal(await byGrpc(), status.OK);
    const last = await byJson();
    assert.deepEqual([last.status, last.headers.get('ratelimit')], [200, '"person";r=0;t=4']);

    const json = await byJson();
    assert.equal(json.status, 429);
    assert.deepEqual(
      [json.headers.get('retry-after'), json.headers.get('haic-code')],
      ['1', 'too_many_requests'],
    );
    const { code, message } = (await json.json()) as { code: number; message: string };
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(message, /^Too many requests: 60 in a minute .* Wait 1 second, then/);

    const connect = await byConnect();
    assert.deepEqual([connect.status, connect.headers.get('retry-after')], [429, '1']);
    assert.equal(((await connect.json()) as { code: string }).code, 'resource_exhausted');

    const over = await byGrpc();
    assert.ok(over instanceof Error);
    assert.equal(over.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(over.metadata.get('haic-code'), ['too_many_requests']);

    at += 1000;
    assert.equal(await byGrpc(), status.OK);
  });

  it('counts who has no valid token by their address', async () => {
    const nobody = async () => {
      const error = await byGrpc('Bearer nobody');
      return error instanceof Error ? error.code : error;
    };
    assert.deepEqual(
      [await nobody(), await nobody(), await nobody()],
      [status.UNAUTHENTICATED, status.UNAUTHENTICATED, status.RESOURCE_EXHAUSTED],
    );
    assert.equal((await byJson({})).status, 429, 'the same address by HTTP');
  });
});
