import type { BlobEntry, WriteCondition } from '@haic/platform/blob/port.ts';
import { driveError, notImplemented } from './errors.ts';
import type { DriveRequest } from './request.ts';

type Get = DriveRequest['header'];
type Entity = Pick<BlobEntry, 'etag' | 'modifiedAt'>;

const etagsOf = (text: string): readonly string[] =>
  text.split(',').map((tag) =>
    tag
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );

const matches = (text: string, { etag }: Entity) => {
  const tags = etagsOf(text);
  return tags.includes('*') || tags.includes(etag);
};

/** HTTP dates know whole seconds. */
const secondsOf = (time: Date) => Math.floor(time.getTime() / 1000) * 1000;

/**
 * Preconditions of a read in their order (RFC 9110 §13.2.2); throws `PreconditionFailed` or `NotModified`. `prefix` is for those that a copy has
 * on its source.
 */
export function checkConditions(header: Get, entity: Entity, prefix = ''): void {
  const failed = () =>
    driveError('PreconditionFailed', 'The object is not as the condition of the request says.');
  const unchanged = () =>
    prefix === '' ? driveError('NotModified', 'The object has not changed.') : failed();
  const ifMatch = header(`${prefix}if-match`);
  const ifNoneMatch = header(`${prefix}if-none-match`);
  const unmodifiedSince = Date.parse(header(`${prefix}if-unmodified-since`) ?? '');
  const modifiedSince = Date.parse(header(`${prefix}if-modified-since`) ?? '');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, entity)) throw failed();
  } else if (secondsOf(entity.modifiedAt) > unmodifiedSince) throw failed();
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, entity)) throw unchanged();
  } else if (secondsOf(entity.modifiedAt) <= modifiedSince) throw unchanged();
}

/** Of a write: `If-None-Match: *` for what must not be there, `If-Match` for what must be unchanged. */
export function writeConditionOf(header: Get): WriteCondition {
  const ifNoneMatch = header('if-none-match');
  const ifMatch = header('if-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') throw notImplemented('If-None-Match of a write with anything but *');
    if (ifMatch !== undefined)
      throw driveError('InvalidRequest', 'A write has one condition: If-Match or If-None-Match.');
    return { ifAbsent: true };
  }
  if (ifMatch === undefined) return {};
  const [etag = '', ...more] = etagsOf(ifMatch);
  if (more.length > 0 || etag === '*') throw notImplemented('If-Match of a write with anything but one ETag');
  return { ifMatch: etag };
}
