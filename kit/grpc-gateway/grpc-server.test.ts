import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcServer } from './grpc-server.ts';
import { callStream, callUnary } from './testing/foreign-client.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import type { Shelf } from './testing/shelf.ts';
import { shelfOverGrpc } from './testing/world.ts';

const { method: methods } = ShelfService;

describe('gRPC, asked by a client of another make', () => {
  let server: GrpcServer;
  let shelf: Shelf;
  let client: Client;
  before(async () => {
    const world = await shelfOverGrpc({ methods: { deleteBook: { deed: 'change apps' } } });
    ({ server, shelf } = world);
    client = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await server.close(0);
  });

  const refused = (code: status, message: RegExp) => (error: ServiceError) =>
    error.code === code && message.test(error.details);

  it('answers a call, with the headers of the implementation', async () => {
    let headers: Metadata | undefined;
    const { book } = await callUnary(
      client,
      methods.getBook,
      { name: 'workspaces/w/books/b' },
      { onHeaders: (sent) => (headers = sent) },
    );
    assert.equal(book?.name, 'workspaces/w/books/b');
    assert.deepEqual(headers?.get('x-caller'), ['ada']);
  });

  it('refuses who has no token, or a wrong one, or one of a kind of client that may not', async () => {
    const request = { name: 'workspaces/w/books/b' };
    await assert.rejects(
      callUnary(client, methods.getBook, request, { token: undefined }),
      refused(status.UNAUTHENTICATED, /needs an access token/),
    );
    await assert.rejects(
      callUnary(client, methods.getBook, request, { token: 'Bearer nobody' }),
      refused(status.UNAUTHENTICATED, /not valid here/),
    );
    await assert.rejects(
      callUnary(client, methods.deleteBook, request, { token: 'Bearer app' }),
      refused(status.PERMISSION_DENIED, /app/),
    );
    assert.ok(await callUnary(client, methods.getBook, request, { token: 'Bearer app' }));
  });

  it('gives errors in the trailers, with the stable code, and nothing of what broke inside', async () => {
    const taken = await callUnary(client, methods.getBook, { name: 'taken' }).catch(
      (error: ServiceError) => error,
    );
    assert.ok(taken instanceof Error);
    assert.equal(taken.code, status.ALREADY_EXISTS);
    assert.equal(taken.details, 'That name is taken. Choose another.');
    assert.deepEqual(taken.metadata.get('haic-code'), ['name_taken']);
    await assert.rejects(
      callUnary(client, methods.getBook, { name: 'missing' }),
      refused(status.NOT_FOUND, /does not exist/),
    );
    const broken = await callUnary(client, methods.getBook, { name: 'broken' }).catch(
      (error: ServiceError) => error,
    );
    assert.ok(broken instanceof Error);
    assert.equal(broken.code, status.INTERNAL);
    assert.doesNotMatch(JSON.stringify(broken), /hunter2/);
  });

  it('does not serve what is not there', async () => {
    const unknown = { ...methods.getBook, name: 'BurnBook' };
    await assert.rejects(callUnary(client, unknown, {}), refused(status.UNIMPLEMENTED, /not served/));
  });

  it('ends a call at its deadline, and tells the implementation', async () => {
    await assert.rejects(
      callUnary(client, methods.wait, {}, { deadline: 50 }),
      refused(status.DEADLINE_EXCEEDED, /./),
    );
    assert.match(await shelf.left, /deadline|timed out|canceled/i);
  });

  it('streams, and ends a stream with its error', async () => {
    const stream = callStream(client, methods.readBook, { name: 'b', lines: 3, fail: true });
    const lines: number[] = [];
    const ended = (async () => {
      for await (const { line } of stream) lines.push(line);
    })();
    await assert.rejects(ended, refused(status.INVALID_ARGUMENT, /torn out/));
    assert.deepEqual(lines, [1, 2, 3]);
  });

  it('tells the implementation of a stream when its caller goes', async () => {
    const world = await shelfOverGrpc();
    const own = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure());
    const stream = callStream(own, methods.readBook, { name: 'b', lines: 1, stay: true });
    stream.on('error', () => {});
    stream.once('data', () => stream.cancel());
    assert.ok(await world.shelf.left);
    own.close();
    await world.server.close(0);
  });

  it('refuses a message that is too large', async () => {
    const title = 'x'.repeat(5 * 1024 * 1024);
    await assert.rejects(
      callUnary(client, methods.echoBook, { book: { title } }),
      refused(status.RESOURCE_EXHAUSTED, /./),
    );
  });
});
