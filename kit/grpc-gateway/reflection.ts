import {
  create,
  type DescEnum,
  type DescFile,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from './gen/grpc/reflection/v1/reflection_pb.js';
import * as alpha from './gen/grpc/reflection/v1alpha/reflection_pb.js';
import { type ServedService, serve } from './service.ts';

type Question = ServerReflectionRequest['messageRequest'];
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** grpc.reflection.v1 and v1alpha for a server with these services: themselves included, so that what is listed is what is served. */
export function createReflection(services: readonly ServedService[]): ServedService[] {
  const all = [ServerReflection, alpha.ServerReflection, ...services.map(({ desc }) => desc)];
  const names = all.map(({ typeName }) => typeName).sort();
  const index = indexOf(all.map(({ file }) => file));
  async function* answers(
    questions: AsyncIterable<ServerReflectionRequest>,
  ): AsyncGenerator<ServerReflectionResponse> {
    const sent = new Set<DescFile>();
    for await (const question of questions)
      yield create(ServerReflectionResponseSchema, {
        validHost: question.host,
        originalRequest: question,
        messageResponse: answer(index, names, question.messageRequest, sent),
      });
  }
  return [
    serve(ServerReflection, { serverReflectionInfo: answers }),
    serve(alpha.ServerReflection, {
      // Of both, the bytes are the same.
      async *serverReflectionInfo(questions) {
        for await (const each of answers(asQuestions(questions)))
          yield fromBinary(
            alpha.ServerReflectionResponseSchema,
            toBinary(ServerReflectionResponseSchema, each),
          );
      },
    }),
  ];
}

async function* asQuestions(
  questions: AsyncIterable<alpha.ServerReflectionRequest>,
): AsyncGenerator<ServerReflectionRequest> {
  for await (const each of questions)
    yield fromBinary(ServerReflectionRequestSchema, toBinary(alpha.ServerReflectionRequestSchema, each));
}

function answer(index: Index, names: readonly string[], question: Question, sent: Set<DescFile>): Answer {
  switch (question.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: names.map((name) => ({ name })) } };
    case 'fileByFilename':
      return fileAnswer(index.files.get(question.value), question.value, sent);
    case 'fileContainingSymbol':
      return fileAnswer(index.symbols.get(question.value.replace(/^\./, '')), question.value, sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      const file = index.extensions.get(containingType)?.get(extensionNumber);
      return fileAnswer(file, `extension ${extensionNumber} of ${containingType}`, sent);
    }
    case 'allExtensionNumbersOfType': {
      const extensions = index.extensions.get(question.value);
      if (extensions === undefined && !index.symbols.has(question.value)) return unknown(question.value);
      const extensionNumber = [...(extensions?.keys() ?? [])];
      return {
        case: 'allExtensionNumbersResponse',
        value: { baseTypeName: question.value, extensionNumber },
      };
    }
    case undefined:
      return {
        case: 'errorResponse',
        value: { errorCode: Code.InvalidArgument, errorMessage: 'The request asks nothing.' },
      };
  }
}

function fileAnswer(file: DescFile | undefined, name: string, sent: Set<DescFile>): Answer {
  if (file === undefined) return unknown(name);
  const files = [file, ...importsOf(file).filter((each) => !sent.has(each))];
  for (const each of files) sent.add(each);
  return {
    case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) },
  };
}

const unknown = (name: string): Answer => ({
  case: 'errorResponse',
  value: { errorCode: Code.NotFound, errorMessage: `This server knows no ${name.slice(0, 200)}.` },
});

interface Index {
  readonly files: ReadonlyMap<string, DescFile>;
  /** By the full names of what they define. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** By the extended message and the number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

function indexOf(roots: readonly DescFile[]): Index {
  const files = new Set(roots.flatMap((file) => [file, ...importsOf(file)]));
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files) {
    for (const name of symbolsOf(file)) symbols.set(name, file);
    for (const { extendee, number } of extensionsIn(file)) {
      const known = extensions.get(extendee.typeName) ?? new Map<number, DescFile>();
      extensions.set(extendee.typeName, known.set(number, file));
    }
  }
  return { files: new Map([...files].map((file) => [file.proto.name, file])), symbols, extensions };
}

/** What a file imports, and what that does, each once. */
function importsOf(file: DescFile, found = new Set<DescFile>()): DescFile[] {
  for (const each of file.dependencies) {
    if (found.has(each)) continue;
    found.add(each);
    importsOf(each, found);
  }
  return [...found];
}

const extensionsIn = (file: DescFile) => [
  ...file.extensions,
  ...messagesIn(file.messages).flatMap(({ nestedExtensions }) => nestedExtensions),
];

const messagesIn = (messages: readonly DescMessage[]): DescMessage[] =>
  messages.flatMap((message) => [message, ...messagesIn(message.nestedMessages)]);

function symbolsOf(file: DescFile): string[] {
  const messages = messagesIn(file.messages);
  const enums = [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)];
  return [
    ...messages.flatMap(({ typeName, members }) => [
      typeName,
      ...members.map(({ name }) => `${typeName}.${name}`),
    ]),
    ...enums.flatMap(namesOfEnum),
    ...extensionsIn(file).map(({ typeName }) => typeName),
    ...file.services.flatMap(({ typeName, methods }) => [
      typeName,
      ...methods.map(({ name }) => `${typeName}.${name}`),
    ]),
  ];
}

/** The values of an enum are neighbours of it, and not in it. */
function namesOfEnum({ typeName, values }: DescEnum): string[] {
  const around = typeName.slice(0, typeName.lastIndexOf('.') + 1);
  return [typeName, ...values.map(({ name }) => `${around}${name}`)];
}
