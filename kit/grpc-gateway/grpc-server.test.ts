import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcServer } from './grpc-server.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import type { Shelf } from './testing/shelf.ts';
import { authorization, shelfOverGrpc } from './testing/world.ts';

const { method: methods } = ShelfService;

const serializers = <I extends DescMessage, O extends DescMessage>(method: {
  name: string;
  input: I;
  output: O;
}) =>
  [
    `/${ShelfService.typeName}/${method.name}`,
    (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
    (bytes: Buffer) => fromBinary(method.output, bytes),
  ] as const;

function metadataWith(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', token);
  return metadata;
}

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

  function unary<I extends DescMessage, O extends DescMessage>(
    method: { name: string; input: I; output: O },
    request: MessageInitShape<I>,
    options: { token?: string | undefined; deadline?: number; onHeaders?: (headers: Metadata) => void } = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const [path, write, read] = serializers(method);
      const { token = authorization, deadline, onHeaders } = options;
      const metadata = metadataWith('token' in options ? options.token : token);
      const call = client.makeUnaryRequest(
        ...([path, write, read, create(method.input, request), metadata] as const),
        deadline === undefined ? {} : { deadline: Date.now() + deadline },
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
      if (onHeaders !== undefined) call.on('metadata', onHeaders);
    });
  }

  const refused = (code: status, message: RegExp) => (error: ServiceError) =>
    error.code === code && message.test(error.details);

  it('answers a call, with the headers of the implementation', async () => {
    let headers: Metadata | undefined;
    const { book } = await unary(
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
      unary(methods.getBook, request, { token: undefined }),
      refused(status.UNAUTHENTICATED, /needs an access token/),
    );
    await assert.rejects(
      unary(methods.getBook, request, { token: 'Bearer nobody' }),
      refused(status.UNAUTHENTICATED, /not valid here/),
    );
    await assert.rejects(
      unary(methods.deleteBook, request, { token: 'Bearer app' }),
      refused(status.PERMISSION_DENIED, /app/),
    );
    assert.ok(await unary(methods.getBook, request, { token: 'Bearer app' }));
  });

  it('gives errors in the trailers, with the stable code, and nothing of what broke inside', async () => {
    const taken = await unary(methods.getBook, { name: 'taken' }).catch((error: ServiceError) => error);
    assert.ok(taken instanceof Error);
    assert.equal(taken.code, status.ALREADY_EXISTS);
    assert.equal(taken.details, 'That name is taken. Choose another.');
    assert.deepEqual(taken.metadata.get('haic-code'), ['name_taken']);
    await assert.rejects(
      unary(methods.getBook, { name: 'missing' }),
      refused(status.NOT_FOUND, /does not exist/),
    );
    const broken = await unary(methods.getBook, { name: 'broken' }).catch((error: ServiceError) => error);
    assert.ok(broken instanceof Error);
    assert.equal(broken.code, status.INTERNAL);
    assert.doesNotMatch(JSON.stringify(broken), /hunter2/);
  });

  it('does not serve what is not there', async () => {
    const unknown = { ...methods.getBook, name: 'BurnBook' };
    await assert.rejects(unary(unknown, {}), refused(status.UNIMPLEMENTED, /not served/));
  });

  it('ends a call at its deadline, and tells the implementation', async () => {
    await assert.rejects(unary(methods.wait, {}, { deadline: 50 }), refused(status.DEADLINE_EXCEEDED, /./));
    assert.match(await shelf.left, /deadline|timed out|canceled/i);
  });

  it('streams, and ends a stream with its error', async () => {
    const [path, write, read] = serializers(methods.readBook);
    const request = create(methods.readBook.input, { name: 'b', lines: 3, fail: true });
    const stream = client.makeServerStreamRequest(path, write, read, request, metadataWith(authorization));
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
    const [path, write, read] = serializers(methods.readBook);
    const request = create(methods.readBook.input, { name: 'b', lines: 1, stay: true });
    const stream = own.makeServerStreamRequest(path, write, read, request, metadataWith(authorization));
    stream.on('error', () => {});
    stream.once('data', () => stream.cancel());
    assert.ok(await world.shelf.left);
    own.close();
    await world.server.close(0);
  });

  it('refuses a message that is too large', async () => {
    const title = 'x'.repeat(5 * 1024 * 1024);
    await assert.rejects(
      unary(methods.echoBook, { book: { title } }),
      refused(status.RESOURCE_EXHAUSTED, /./),
    );
  });
});
