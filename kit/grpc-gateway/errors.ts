import { create, type JsonObject, toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { fromDatabaseError, HaicError } from '../errors.ts';

/**
 * Errors between the catalogue (`kit/errors.ts`) and `google.rpc.Code`, both ways. The stable code of ours travels beside the number, in the
 * metadata of a gRPC answer and a header of an HTTP one, so that a service that asks another one passes on what it was told.
 */

const codeHeader = 'haic-code';

/** As google/rpc/code.proto says; 499 is what the field answers to who has gone. */
const statuses: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

const codes: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  405: Code.Unimplemented,
  408: Code.DeadlineExceeded,
  409: Code.Aborted,
  412: Code.FailedPrecondition,
  413: Code.ResourceExhausted,
  414: Code.InvalidArgument,
  415: Code.InvalidArgument,
  422: Code.InvalidArgument,
  429: Code.ResourceExhausted,
  501: Code.Unimplemented,
  503: Code.Unavailable,
  504: Code.DeadlineExceeded,
  507: Code.ResourceExhausted,
};

function codeOf(error: HaicError): Code {
  if (error.status === 409 && /(^|_)(exists|taken)$/.test(error.code)) return Code.AlreadyExists;
  if (error.code === 'failed_precondition') return Code.FailedPrecondition;
  return codes[error.status] ?? (error.status < 500 ? Code.InvalidArgument : Code.Internal);
}

/** What a caller may see of anything that was thrown. What broke inside is its cause, for the log. */
export function toRpcError(thrown: unknown): ConnectError {
  const error = fromDatabaseError(thrown);
  if (error instanceof ConnectError) return error;
  if (error instanceof HaicError)
    return new ConnectError(error.message, codeOf(error), { [codeHeader]: error.code }, undefined, error);
  if (isFrameworkRefusal(error))
    return toRpcError(new HaicError('invalid_request', error.statusCode, error.message, { cause: error }));
  const message = 'Something went wrong inside Haic. Its log says more.';
  return new ConnectError(message, Code.Internal, { [codeHeader]: 'internal' }, undefined, error);
}

/** Of Fastify: a body that is too large, a header that is none. */
const isFrameworkRefusal = (error: unknown): error is Error & { statusCode: number } =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  error.statusCode >= 400 &&
  error.statusCode < 500;

/** For who asked another service by gRPC: its refusal, as one of ours. */
export function toHaicError(error: ConnectError): HaicError {
  if (error.cause instanceof HaicError) return error.cause;
  const code = error.metadata.get(codeHeader) ?? snakeCase(Code[error.code] ?? 'unknown');
  return new HaicError(code, httpStatusOf(error), error.rawMessage, { cause: error });
}

const snakeCase = (name: string): string =>
  name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

/** An error of the catalogue keeps its own, which is finer: 413 and 429 have one gRPC code. */
export const httpStatusOf = (error: ConnectError): number =>
  error.cause instanceof HaicError ? error.cause.status : (statuses[error.code] ?? 500);

export interface Status {
  readonly code: number;
  readonly message: string;
  readonly details: readonly JsonObject[];
}

/** `google.rpc.Status` in JSON, the body of every refusal. */
export const statusOf = (error: ConnectError): Status => ({
  code: error.code,
  message: error.rawMessage,
  details: error.details.flatMap((detail) =>
    'desc' in detail
      ? [
          {
            '@type': `type.googleapis.com/${detail.desc.typeName}`,
            // A message in JSON is an object, except well-known types, which no detail is.
            ...(toJson(detail.desc, create(detail.desc, detail.value)) as JsonObject),
          },
        ]
      : [],
  ),
});

export const invalidArgument = (message: string, cause?: unknown): ConnectError =>
  new ConnectError(message, Code.InvalidArgument, { [codeHeader]: 'invalid_request' }, undefined, cause);
