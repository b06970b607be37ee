import { conflict, forbidden, HaicError, invalid, notFound, unavailable } from '@haic/kit/errors.ts';
import { DriveError } from '../errors.ts';

/** S3's words for a refusal in those of the JSON API. */
export function apiError(error: unknown): unknown {
  if (!(error instanceof DriveError)) return error;
  const { code, message } = error;
  const options = { cause: error };
  if (code === 'NoSuchBucket') return notFound('This bucket', options);
  if (code === 'NoSuchKey') return notFound('This object', options);
  if (code === 'NoSuchUpload') return new HaicError('no_such_upload', 404, message, options);
  if (code === 'AccessDenied') return forbidden('drive_read_only', message, options);
  if (code === 'QuotaExceeded') return forbidden('drive_quota_exceeded', message, options);
  if (code === 'PreconditionFailed') return conflict('object_exists', message, options);
  if (error.status === 503) return unavailable('service_unavailable', message, options);
  return error.status < 500 ? invalid('invalid_request', message, options) : error;
}

export const objectExists = (key: string): HaicError =>
  conflict('object_exists', `"${key}" is there already. Replace it, keep both, or choose another name.`);

export const translated = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw apiError(error);
  }
};

/** For what may be gone by the time that it is looked at. */
export function ifGone(error: unknown): undefined {
  if (error instanceof HaicError && error.status === 404) return undefined;
  throw error;
}
