import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFileRegistry, fromBinary, getOption, type MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, status } from '@grpc/grpc-js';
import { http } from './gen/google/api/annotations_pb.js';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from './gen/grpc/reflection/v1/reflection_pb.js';
import * as alpha from './gen/grpc/reflection/v1alpha/reflection_pb.js';
import type { GrpcServer } from './grpc-server.ts';
import { askStream } from './testing/foreign-client.ts';
import { shelfOverGrpc } from './testing/world.ts';

const shelf = 'haic.testing.shelf.v1';
type Question = MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest'];

describe('server reflection', () => {
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

  const ask = async (...questions: NonNullable<Question>[]) => {
    const requests = questions.map((messageRequest) => ({ host: 'h', messageRequest }));
    const answers = await askStream(client, ServerReflection.method.serverReflectionInfo, requests);
    for (const [at, { validHost, originalRequest }] of answers.entries()) {
      assert.equal(validHost, 'h');
      assert.equal(originalRequest?.messageRequest.case, questions[at]?.case);
    }
    return answers.map(({ messageResponse }) => messageResponse);
  };
  const filesOf = (answer: ServerReflectionResponse['messageResponse'] | undefined) => {
    assert.equal(answer?.case, 'fileDescriptorResponse');
    return (answer.value as { fileDescriptorProto: Uint8Array[] }).fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  };

  it('lists what is served, itself and health included', async () => {
    const [list] = await ask({ case: 'listServices', value: '' });
    assert.equal(list?.case, 'listServicesResponse');
    assert.deepEqual(
      list.value.service.map(({ name }) => name),
      [
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        `${shelf}.ShelfService`,
      ],
    );
  });

  it('gives a file by any name that it defines, with all that it imports, from which the service can be made', async () => {
    const symbols = ['ShelfService', 'ShelfService.GetBook', 'Book', 'Book.name', 'Genre', 'GENRE_NOVEL'];
    for (const symbol of symbols) {
      const [answer] = await ask({ case: 'fileContainingSymbol', value: `${shelf}.${symbol}` });
      const files = filesOf(answer);
      assert.equal(files[0]?.name, 'haic/testing/shelf/v1/shelf.proto', symbol);
      const set = { $typeName: FileDescriptorSetSchema.typeName, file: files.reverse() };
      const registry = createFileRegistry(set);
      const method = registry.getService(`${shelf}.ShelfService`)?.method.getBook;
      assert.ok(method);
      assert.match(String(getOption(method, http).pattern.value), /^\/v1\//, 'with its annotations');
    }
    const [byName] = await ask({ case: 'fileByFilename', value: 'google/api/http.proto' });
    assert.deepEqual(
      filesOf(byName).map(({ name }) => name),
      ['google/api/http.proto'],
    );
  });

  it('sends a file that others import once on a stream', async () => {
    const value = `${shelf}.Book`;
    const [first, second] = await ask(
      { case: 'fileContainingSymbol', value },
      { case: 'fileContainingSymbol', value },
    );
    assert.ok(filesOf(first).length > 1);
    assert.equal(filesOf(second).length, 1);
  });

  it('knows extensions', async () => {
    const containingType = 'google.protobuf.MethodOptions';
    const [file, numbers, none] = await ask(
      { case: 'fileContainingExtension', value: { containingType, extensionNumber: 72295728 } },
      { case: 'allExtensionNumbersOfType', value: containingType },
      { case: 'allExtensionNumbersOfType', value: `${shelf}.Book` },
    );
    assert.equal(filesOf(file)[0]?.name, 'google/api/annotations.proto');
    assert.deepEqual(numbers?.value, {
      ...{ $typeName: 'grpc.reflection.v1.ExtensionNumberResponse', baseTypeName: containingType },
      extensionNumber: [72295728],
    });
    assert.equal(none?.case, 'allExtensionNumbersResponse');
  });

  it('says of what it does not know that it does not, and goes on', async () => {
    const answers = await ask(
      { case: 'fileContainingSymbol', value: 'other.v1.Service' },
      { case: 'fileByFilename', value: '../../etc/passwd' },
      { case: 'fileContainingExtension', value: { containingType: 'x', extensionNumber: 1 } },
      { case: 'allExtensionNumbersOfType', value: 'constructor' },
      { case: 'listServices', value: '' },
    );
    for (const answer of answers.slice(0, 4)) {
      assert.equal(answer?.case, 'errorResponse');
      assert.equal(answer.value.errorCode, status.NOT_FOUND);
    }
    assert.equal(answers[4]?.case, 'listServicesResponse');
    const [nothing] = await askStream(client, ServerReflection.method.serverReflectionInfo, [{}]);
    assert.equal(nothing?.messageResponse.case, 'errorResponse');
  });

  it('answers under its first name, too', async () => {
    const method = alpha.ServerReflection.method.serverReflectionInfo;
    const [list] = await askStream(client, method, [{ messageRequest: { case: 'listServices', value: '' } }]);
    assert.equal(list?.messageResponse.case, 'listServicesResponse');
    assert.ok(list.messageResponse.value.service.some(({ name }) => name === `${shelf}.ShelfService`));
  });

  it('asks who it is that asks', async () => {
    const { serverReflectionInfo } = ServerReflection.method;
    await assert.rejects(askStream(client, serverReflectionInfo, [{}], { token: undefined }), {
      code: status.UNAUTHENTICATED,
    });
  });
});
