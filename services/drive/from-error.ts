import { fromDatabaseError, HaicError } from '@haic/kit/errors.ts';
import { DriveError, type DriveErrorCode, driveError, noSuchKey, noSuchUpload } from './errors.ts';

/** What the ports below say, in S3's words. */
const codes: Readonly<Record<string, DriveErrorCode>> = {
  blob_changed: 'PreconditionFailed',
  blob_corrupt: 'BadDigest',
  blob_exists: 'PreconditionFailed',
  blob_too_large: 'EntityTooLarge',
  database_unavailable: 'ServiceUnavailable',
  insufficient_storage: 'InsufficientStorage',
  invalid_blob_key: 'KeyTooLongError',
  invalid_part: 'InvalidPart',
  invalid_part_order: 'InvalidPartOrder',
  issuer_unavailable: 'ServiceUnavailable',
  part_too_small: 'EntityTooSmall',
  range_not_satisfiable: 'InvalidRange',
  service_unavailable: 'ServiceUnavailable',
  storage_unavailable: 'ServiceUnavailable',
};

/** Any error as one that S3 clients understand; what is none of ours is `InternalError`, with the cause for the log. */
export function driveErrorOf(thrown: unknown): DriveError {
  const error = fromDatabaseError(thrown);
  if (error instanceof DriveError) return error;
  if (error instanceof HaicError) {
    if (error.code === 'no_such_upload') return noSuchUpload();
    if (error.code === 'not_found') return noSuchKey();
    const code = Object.hasOwn(codes, error.code) ? codes[error.code] : undefined;
    if (code !== undefined) return driveError(code, wordsOf(code, error), { cause: error });
  }
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError')
    return driveError('RequestTimeout', 'This took too long; nothing was changed.', { cause: thrown });
  return driveError(
    'InternalError',
    'Something went wrong inside Haic. The log has the details under this request id.',
    { cause: thrown },
  );
}

/** Messages of the store name its own keys, which are not the client's. */
function wordsOf(code: DriveErrorCode, error: HaicError): string {
  if (code === 'PreconditionFailed')
    return 'What is under this key is not what the condition of the request says.';
  if (code === 'BadDigest') return 'The body has another MD5 or size than the one given. Nothing was kept.';
  if (code === 'EntityTooLarge') return 'The body is longer than it said. Nothing was kept.';
  if (code === 'InvalidRange') return 'None of the range that was asked for is in the object.';
  if (code === 'KeyTooLongError') return 'A key has 1 to 1024 bytes of UTF-8.';
  return error.message;
}
