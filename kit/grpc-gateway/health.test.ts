import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { Health, HealthCheckResponse_ServingStatus as Status } from './gen/grpc/health/v1/health_pb.js';
import type { GrpcServer } from './grpc-server.ts';
import { callStream, callUnary } from './testing/foreign-client.ts';
import { shelfOverGrpc } from './testing/world.ts';

const { method: methods } = Health;
const shelf = 'haic.testing.shelf.v1.ShelfService';

describe('grpc.health.v1', () => {
  let server: GrpcServer;
  let client: Client;
  before(async () => {
    const world = await shelfOverGrpc();
    server = world.server;
    client = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await server.close(0);
  });

  it('tells of the server and of each of its services, and of no other', async () => {
    for (const service of ['', shelf, Health.typeName])
      assert.equal((await callUnary(client, methods.check, { service })).status, Status.SERVING, service);
    const { statuses } = await callUnary(client, methods.list, {});
    assert.deepEqual(Object.keys(statuses).sort(), ['', Health.typeName, shelf]);
    await assert.rejects(callUnary(client, methods.check, { service: 'other.v1.Service' }), {
      code: status.NOT_FOUND,
    });
  });

  it('asks who it is that asks', async () => {
    await assert.rejects(callUnary(client, methods.check, {}, { token: undefined }), {
      code: status.UNAUTHENTICATED,
    });
    assert.ok(await callUnary(client, methods.check, {}, { token: 'Bearer app' }));
  });

  it('tells who watches when the server stops, and holds no stop up', async () => {
    const world = await shelfOverGrpc();
    const own = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure());
    const known = callStream(own, methods.watch, { service: shelf });
    const unknown = callStream(own, methods.watch, { service: 'other.v1.Service' });
    const [first, none] = await Promise.all([once(known, 'data'), once(unknown, 'data')]);
    assert.deepEqual([first[0].status, none[0].status], [Status.SERVING, Status.SERVICE_UNKNOWN]);
    const rest = Promise.all([known.toArray(), unknown.toArray()]);
    await world.server.close(30_000);
    const [ended, stillNone] = await rest;
    assert.deepEqual([ended.map((each) => each.status), stillNone], [[Status.NOT_SERVING], []]);
    own.close();
  });
});
