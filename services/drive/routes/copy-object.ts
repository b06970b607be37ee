import { attributesOf } from '../attributes.ts';
import { checkConditions, writeConditionOf } from '../conditions.ts';
import { driveError } from '../errors.ts';
import { limits } from '../model.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { presentCopy } from '../present.ts';
import { sendXml } from '../respond.ts';
import { copySourceOf, nameOfSource } from './copy-source.ts';

export const copyObject: BucketOperation = {
  name: 'CopyObject',
  wish: 'write',
  deed: deeds.copy,
  handle: async (request, bucket, parts) => {
    const source = await copySourceOf(request, parts);
    const directive = request.header('x-amz-metadata-directive') ?? 'COPY';
    if (directive !== 'COPY' && directive !== 'REPLACE')
      throw driveError('InvalidArgument', 'x-amz-metadata-directive must be COPY or REPLACE.');
    const isSame = source.bucket.prefix === bucket.prefix && source.key === request.key;
    if (isSame && directive === 'COPY')
      throw driveError('InvalidRequest', 'A copy onto itself must replace the metadata.');
    const { signal } = request;
    const info = await parts.objects.head(source.bucket, source.key, { signal });
    checkConditions(request.header, info, 'x-amz-copy-source-');
    if (info.size > limits.singlePutBytes)
      throw driveError('InvalidRequest', 'What is larger than 5 GiB is copied in parts.');
    request.allow(info.size);
    const copied = await parts.objects.copy(
      source,
      { bucket, key: request.key },
      {
        ...writeConditionOf(request.header),
        ...(directive === 'REPLACE' ? { replace: attributesOf(request) } : {}),
        ifSourceMatch: info.etag,
        signal,
      },
    );
    await parts.trail.used(request, bucket, deeds.copy, { source: nameOfSource(source) });
    sendXml(request, presentCopy('CopyObjectResult', copied));
  },
};
