import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type Client, type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { authorization } from './world.ts';

/** gRPC by a client of another make, which knows of a method no more than its address and how bytes become messages. */

interface Method<I extends DescMessage, O extends DescMessage> {
  readonly parent: DescService;
  readonly name: string;
  readonly input: I;
  readonly output: O;
}

export interface CallOptions {
  /** Of the `authorization` metadata; Ada's unless another one, or none, is given. */
  readonly token?: string | undefined;
  /** Milliseconds from now. */
  readonly deadline?: number;
  readonly onHeaders?: (headers: Metadata) => void;
}

function partsOf<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  request: MessageInitShape<I> | undefined,
  options: CallOptions,
) {
  const metadata = new Metadata();
  const token = 'token' in options ? options.token : authorization;
  if (token !== undefined) metadata.set('authorization', token);
  return [
    `/${method.parent.typeName}/${method.name}`,
    (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
    (bytes: Buffer) => fromBinary(method.output, bytes),
    create(method.input, request),
    metadata,
  ] as const;
}

export function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions = {},
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    const { deadline, onHeaders } = options;
    const call = client.makeUnaryRequest(
      ...partsOf(method, request, options),
      deadline === undefined ? {} : { deadline: Date.now() + deadline },
      (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
    );
    if (onHeaders !== undefined) call.on('metadata', onHeaders);
  });
}

export const callStream = <I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions = {},
): ClientReadableStream<MessageShape<O>> =>
  client.makeServerStreamRequest(...partsOf(method, request, options));

/** Sends all requests of a stream in both directions, and resolves with all answers. */
export async function askStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  requests: readonly MessageInitShape<I>[],
  options: CallOptions = {},
): Promise<MessageShape<O>[]> {
  const [path, write, read, , metadata] = partsOf(method, undefined, options);
  const stream = client.makeBidiStreamRequest(path, write, read, metadata);
  for (const request of requests) stream.write(create(method.input, request));
  stream.end();
  return stream.toArray();
}
