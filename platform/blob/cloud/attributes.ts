import type { BlobAttributes, BlobInfo } from '../port.ts';
import { packMetadata, unpackMetadata } from './metadata.ts';
import { hashedGroupOf } from './names.ts';

/** For stores whose copies replace metadata and nothing else at once: type and etag are kept in there. */

export const defaultContentType = 'application/octet-stream';

const typeName = 'haic_type';
/** Of a blob that came in parts: such stores keep an MD5 of whole contents only. */
const etagName = 'haic_etag';

export const metadataFor = (
  key: string,
  { contentType, metadata }: BlobAttributes,
  etag?: string,
): Record<string, string> => ({
  ...packMetadata(metadata ?? {}, hashedGroupOf(key) === undefined ? undefined : key),
  [typeName]: Buffer.from(contentType ?? defaultContentType).toString('base64url'),
  ...(etag === undefined ? {} : { [etagName]: etag }),
});

/** What a store tells of an object. */
export interface Told {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly contentMD5?: Uint8Array | undefined;
  /** The store's own. */
  readonly etag?: string | undefined;
  readonly lastModified?: Date | undefined;
}

export const etagOf = ({ metadata, contentMD5, etag }: Told): string =>
  metadata?.[etagName] ??
  (contentMD5 === undefined ? (etag ?? '').replaceAll('"', '') : Buffer.from(contentMD5).toString('hex'));

/** What a copy must be told of the etag: undefined when the store works it out. */
export const etagToKeep = (etag: string): string | undefined => (etag.includes('-') ? etag : undefined);

export const infoOf = (key: string, told: Told, size: number): BlobInfo => {
  const type = told.metadata?.[typeName];
  return {
    key,
    size,
    contentType: type === undefined ? defaultContentType : Buffer.from(type, 'base64url').toString(),
    etag: etagOf(told),
    modifiedAt: told.lastModified ?? new Date(),
    metadata: unpackMetadata(told.metadata),
  };
};
