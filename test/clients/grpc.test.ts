import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createFileRegistry,
  type DescService,
  type FileRegistry,
  fromBinary,
  toJson,
} from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ServerReflection } from '@haic/kit/grpc-gateway/gen/grpc/reflection/v1/reflection_pb.js';
import { askStream } from '@haic/kit/grpc-gateway/testing/foreign-client.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

/** What every server has, so that the walk below is seen to see something. Services that are mounted are found by themselves. */
const always = [
  'grpc.health.v1.Health/Check',
  'grpc.health.v1.Health/Watch',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

/** What an empty message may come to: done, or refused for what it asks. Never that a method is missing or broken. */
const fine = ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED', 'FAILED_PRECONDITION'];

describe('every service that speaks gRPC', () => {
  let haic: Haic;
  let target: string;
  let token: string;
  before(async () => {
    // Every method is asked without a token, and with wrong ones, from one address.
    haic = await startHaic({ HAIC_API_REQUESTS_PER_MINUTE: '0' });
    await haic.addUser('ada', { roles: ['admin', 'user'] });
    token = await haic.accessToken('ada');
    target = (JSON.parse(await haic.run(['status', '--json'])) as { grpc: string }).grpc;
  });
  after(() => haic?.stop());

  it('is called by grpcio, which knows of it by reflection alone', async () => {
    const python = await pythonWith(['grpcio==1.76.0', 'grpcio-reflection==1.76.0']);
    const script = path.join(import.meta.dirname, 'every_method.py');
    const env = { PATH: '/usr/bin:/bin', TOKEN: token };
    type Statuses = { with: string; without: string; wrong: string };
    const found = JSON.parse(await execute(python, [script, target], env)) as Record<string, Statuses>;
    for (const method of always) assert.equal(found[method]?.with, 'OK', method);
    for (const [method, statuses] of Object.entries(found)) {
      assert.ok(fine.includes(statuses.with), `${method}: ${statuses.with}`);
      assert.equal(statuses.without, 'UNAUTHENTICATED', method);
      assert.equal(statuses.wrong, 'UNAUTHENTICATED', method);
    }
  });

  it('is called by @grpc/grpc-js, and its answers are what reflection says they are', async () => {
    const client = new Client(target, credentials.createInsecure());
    try {
      const { registry, services } = await reflected(client, `Bearer ${token}`);
      const seen: string[] = [];
      for (const service of services)
        for (const method of service.methods) {
          // A stream of nothing answers nothing, and a stream of answers may have no end.
          if (method.methodKind !== 'unary') continue;
          const name = `${service.typeName}/${method.name}`;
          const { code, answer } = await callEmpty(client, name, `Bearer ${token}`);
          assert.ok(fine.includes(code), `${name}: ${code}`);
          if (answer !== undefined)
            assert.ok(toJson(method.output, fromBinary(method.output, answer), { registry }), name);
          for (const wrong of [undefined, 'Bearer wrong', 'Basic YTpi'])
            assert.equal((await callEmpty(client, name, wrong)).code, 'UNAUTHENTICATED', name);
          seen.push(name);
        }
      assert.ok(seen.includes('grpc.health.v1.Health/Check'), seen.join());
    } finally {
      client.close();
    }
  });

  it('tells of itself only to who has a token', async () => {
    const client = new Client(target, credentials.createInsecure());
    await assert.rejects(reflected(client, undefined), { code: status.UNAUTHENTICATED });
    client.close();
  });
});

async function reflected(
  client: Client,
  authorization: string | undefined,
): Promise<{ registry: FileRegistry; services: DescService[] }> {
  const { serverReflectionInfo } = ServerReflection.method;
  const options = { token: authorization };
  const [list] = await askStream(
    client,
    serverReflectionInfo,
    [{ messageRequest: { case: 'listServices', value: '' } }],
    options,
  );
  assert.equal(list?.messageResponse.case, 'listServicesResponse');
  const names = list.messageResponse.value.service.map(({ name }) => name);
  const questions = names.map((value) => ({
    messageRequest: { case: 'fileContainingSymbol' as const, value },
  }));
  const files = new Map<string, FileDescriptorProto>();
  for (const { messageResponse } of await askStream(client, serverReflectionInfo, questions, options)) {
    assert.equal(messageResponse.case, 'fileDescriptorResponse');
    for (const bytes of messageResponse.value.fileDescriptorProto) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  const registry = createFileRegistry({
    $typeName: FileDescriptorSetSchema.typeName,
    file: inOrder(files),
  });
  return {
    registry,
    services: names.map((name) => {
      const service = registry.getService(name);
      assert.ok(service, name);
      return service;
    }),
  };
}

/** What is imported comes first. */
function inOrder(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const add = (name: string): void => {
    const file = files.get(name);
    assert.ok(file, `reflection imports ${name} and does not give it`);
    if (ordered.has(file)) return;
    file.dependency.forEach(add);
    ordered.add(file);
  };
  for (const name of files.keys()) add(name);
  return [...ordered];
}

/** An empty message is no bytes. */
function callEmpty(
  client: Client,
  method: string,
  authorization: string | undefined,
): Promise<{ code: string; answer: Buffer | undefined }> {
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  const asBytes = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      ...([`/${method}`, asBytes, asBytes, Buffer.alloc(0), metadata] as const),
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null, answer) =>
        resolve({ code: status[error?.code ?? status.OK] ?? 'none', answer }),
    );
  });
}
