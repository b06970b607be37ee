import type { BlobAttributes, BlobInfo } from '@haic/platform/blob/port.ts';
import { driveError } from './errors.ts';
import { limits } from './model.ts';
import type { DriveRequest } from './request.ts';

/** Headers of an object that are kept and given back as they are. */
const keptHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
] as const;
const metaPrefix = 'x-amz-meta-';

/** In the store's metadata `u-` is what users named themselves and `h-` a header. */
export function attributesOf(request: Pick<DriveRequest, 'header' | 'headerNames'>): BlobAttributes {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const name of request.headerNames) {
    if (!name.startsWith(metaPrefix)) continue;
    const key = name.slice(metaPrefix.length);
    const value = request.header(name) ?? '';
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    metadata[`u-${key}`] = value;
  }
  if (bytes > limits.metadataBytes)
    throw driveError('MetadataTooLarge', `Metadata has at most ${limits.metadataBytes} bytes.`);
  for (const name of keptHeaders) {
    const value = name === 'content-encoding' ? contentEncoding(request) : request.header(name);
    if (value !== undefined && value !== '') metadata[`h-${name}`] = value.slice(0, 1024);
  }
  const contentType = request.header('content-type');
  return {
    metadata,
    ...(contentType === undefined || contentType === '' ? {} : { contentType: contentType.slice(0, 256) }),
  };
}

/** How the body came is no part of what it is. */
const contentEncoding = ({ header }: Pick<DriveRequest, 'header'>): string | undefined =>
  header('content-encoding')
    ?.split(/\s*,\s*/)
    .filter((coding) => coding.toLowerCase() !== 'aws-chunked')
    .join(', ');

const overrides: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
};

/** Of the object, for an answer to GET and HEAD; the signed address may say otherwise for this once. */
export function headersOf(info: BlobInfo, request: Pick<DriveRequest, 'query'>): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': info.contentType,
    etag: `"${info.etag}"`,
    'last-modified': info.modifiedAt.toUTCString(),
    'accept-ranges': 'bytes',
  };
  for (const [name, value] of Object.entries(info.metadata)) {
    if (name.startsWith('u-')) headers[`${metaPrefix}${name.slice(2)}`] = value;
    else if (name.startsWith('h-')) headers[name.slice(2)] = value;
  }
  for (const [parameter, header] of Object.entries(overrides)) {
    const value = request.query(parameter);
    if (value === undefined) continue;
    if (!/^[\t\x20-\x7e]{1,1024}$/.test(value))
      throw driveError('InvalidArgument', `${parameter} is no value of a header.`);
    headers[header] = value;
  }
  return headers;
}
