import { HaicError } from '@haic/kit/errors.ts';

/** What S3 and STS clients act on is the code; the list below is Drive's whole vocabulary of it. */
export class DriveError extends HaicError {
  constructor(code: DriveErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, statuses[code], message, options);
    this.name = 'DriveError';
  }
}

/** Amazon's own codes with their statuses (S3 API reference, "Error responses"), and of STS those that clients have types for. */
const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyExists: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InsufficientStorage: 507,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MaxMessageLengthExceeded: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  NotModified: 304,
  PreconditionFailed: 412,
  QuotaExceeded: 403,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
  // STS
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IDPRejectedClaim: 403,
  InvalidAction: 400,
  InvalidIdentityToken: 400,
  MissingParameter: 400,
  PackedPolicyTooLarge: 400,
  ValidationError: 400,
} as const satisfies Record<string, number>;

export type DriveErrorCode = keyof typeof statuses;

export const driveError = (code: DriveErrorCode, message: string, options?: { cause?: unknown }) =>
  new DriveError(code, message, options);

export const noSuchBucket = (name: string) =>
  driveError(
    'NoSuchBucket',
    `There is no bucket "${name}", or you may not see it. Yours is "_my"; a workspace's is its id.`,
  );
export const noSuchKey = () => driveError('NoSuchKey', 'There is no object with this key.');
export const noSuchUpload = () =>
  driveError('NoSuchUpload', 'There is no such upload under this key: it was completed, aborted or swept.');
export const notImplemented = (what: string) => driveError('NotImplemented', `Drive does not have ${what}.`);
