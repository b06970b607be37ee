import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, createFileRegistry, type MessageInitShape, setExtension } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { createRoutes } from './bindings.ts';
import { http } from './gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from './gen/google/api/http_pb.js';
import { serve } from './service.ts';
import { ShelfService } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { createShelf } from './testing/shelf.ts';

type Rule = MessageInitShape<typeof HttpRuleSchema>;

/** A service whose methods `M0`, `M1`, … have these annotations; their messages have a text `name`, numbers `sizes` and themselves as `inner`. */
function routesOf(...rules: readonly (Rule & { streaming?: boolean })[]) {
  const method = rules.map(({ streaming = false, ...rule }, index) => {
    const options = create(MethodOptionsSchema);
    setExtension(options, http, create(HttpRuleSchema, rule));
    const message = '.test.Message';
    return {
      name: `M${index}`,
      inputType: message,
      outputType: message,
      options,
      clientStreaming: streaming,
    };
  });
  const field = [
    { name: 'name', number: 1, type: FieldDescriptorProto_Type.STRING },
    {
      name: 'sizes',
      number: 2,
      type: FieldDescriptorProto_Type.INT32,
      label: FieldDescriptorProto_Label.REPEATED,
    },
    { name: 'inner', number: 3, type: FieldDescriptorProto_Type.MESSAGE, typeName: '.test.Message' },
  ].map((each) => ({ label: FieldDescriptorProto_Label.OPTIONAL, jsonName: each.name, ...each }));
  const file: MessageInitShape<typeof FileDescriptorProtoSchema> = {
    ...{ name: 'test.proto', package: 'test', syntax: 'proto3' },
    messageType: [{ name: 'Message', field }],
    service: [{ name: 'Service', method }],
  };
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService(
    'test.Service',
  );
  assert.ok(service);
  return createRoutes([serve(service, {})]);
}

const get = (path: string, more: Rule = {}): Rule => ({ ...more, pattern: { case: 'get', value: path } });

describe('the addresses of a service', () => {
  it('are those of its annotations, the more exact ones first', () => {
    const { bindings } = createRoutes([serve(ShelfService, createShelf())]);
    const addresses = bindings.map(({ httpMethod, template }) => `${httpMethod} ${template.source}`);
    assert.equal(addresses.length, 11);
    assert.ok(addresses.includes('PATCH /v1/{book.name=workspaces/*/books/*}'));
    assert.ok(
      addresses.indexOf('GET /v1/{name=workspaces/*/books/*}:read') <
        addresses.indexOf('GET /v1/{name=workspaces/*/books/*}'),
    );
  });

  const wrong: readonly (readonly [string, readonly (Rule & { streaming?: boolean })[], RegExp])[] = [
    ['a path names no field', [get('/v1/{nothing}')], /nothing is no field/],
    ['a path names a list', [get('/v1/{sizes}')], /sizes is no field that a path can hold/],
    ['a path names a message', [get('/v1/{inner}')], /inner is no field/],
    ['a body names no field', [get('/v1/x', { body: 'nothing' })], /has no field nothing/],
    ['an answer names no field', [get('/v1/x', { responseBody: 'nothing' })], /has no field nothing/],
    [
      'two methods have one address',
      [get('/v1/{name}'), get('/v1/{inner.name}')],
      /is the address of M0 too/,
    ],
    ['the template is none', [get('v1')], /path template v1 is wrong/],
    ['requests are streamed', [{ ...get('/v1/x'), streaming: true }], /cannot carry a stream of requests/],
    [
      'the method is none of HTTP’s',
      [{ pattern: { case: 'custom', value: { kind: 'LOCK', path: '/v1' } } }],
      /LOCK/,
    ],
  ];
  for (const [what, rules, message] of wrong)
    it(`are refused when the service starts if ${what}`, () =>
      assert.throws(() => routesOf(...rules), message));

  it('may have a field of a field in the path', () => {
    assert.equal(routesOf(get('/v1/{inner.inner.name}')).bindings.length, 1);
  });
});
