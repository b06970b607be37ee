import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { FieldDescriptorProtoSchema, FileDescriptorProtoSchema, ValueSchema } from '@bufbuild/protobuf/wkt';
import { newMessage } from './new-message.ts';
import { file_haic_testing_shelf_v1_shelf } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';

const messages: readonly DescMessage[] = [
  ...file_haic_testing_shelf_v1_shelf.messages,
  // Of an older syntax, with defaults on a prototype.
  ...[FieldDescriptorProtoSchema, FileDescriptorProtoSchema],
  ValueSchema,
];

describe('a new message', () => {
  for (const desc of messages) {
    it(`of ${desc.name} is the one that protobuf-es makes`, () => {
      const made = newMessage(desc);
      const expected = create(desc);
      assert.deepEqual(made, expected);
      assert.equal(Object.getPrototypeOf(made), Object.getPrototypeOf(expected));
      assert.equal(toBinary(desc, made).length, 0);
    });

    it(`of ${desc.name} shares no list, no map and no choice with another`, () => {
      const [one, other] = [newMessage(desc), newMessage(desc)];
      for (const { kind, localName, ...member } of desc.members)
        if (kind === 'oneof' || ('fieldKind' in member && /list|map/.test(String(member.fieldKind))))
          assert.notEqual(one[localName], other[localName], localName);
    });
  }
});
