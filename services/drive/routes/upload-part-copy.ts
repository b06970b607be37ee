import { checkConditions } from '../conditions.ts';
import { driveError } from '../errors.ts';
import { limits } from '../model.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { presentCopy } from '../present.ts';
import { readRange } from '../range.ts';
import { sendXml } from '../respond.ts';
import { copySourceOf, nameOfSource } from './copy-source.ts';
import { partNumberOf, uploadIdOf } from './parameters.ts';

export const uploadPartCopy: BucketOperation = {
  name: 'UploadPartCopy',
  wish: 'write',
  deed: deeds.copy,
  handle: async (request, bucket, parts) => {
    const { signal } = request;
    const partNumber = partNumberOf(request);
    const source = await copySourceOf(request, parts);
    const info = await parts.objects.head(source.bucket, source.key, { signal });
    checkConditions(request.header, info, 'x-amz-copy-source-');
    const range = rangeOf(request.header('x-amz-copy-source-range'), info.size);
    const size = range === undefined ? info.size : range.end - range.start + 1;
    if (size > limits.partBytes) throw driveError('InvalidRequest', 'A part has at most 5 GiB.');
    request.allow(size);
    const found = await parts.objects.get(source.bucket, source.key, {
      signal,
      ...(range === undefined ? {} : { range }),
    });
    try {
      if (found.info.etag !== info.etag)
        throw driveError('PreconditionFailed', 'The source was replaced meanwhile. Try again.');
      const upload = { bucket, key: request.key, uploadId: uploadIdOf(request) };
      const content = { size, md5: undefined, open: () => found.content };
      const part = await parts.objects.putPart(upload, partNumber, content, { signal });
      const told = { source: nameOfSource(source), partNumber: String(partNumber) };
      await parts.trail.used(request, bucket, deeds.copy, told);
      sendXml(request, presentCopy('CopyPartResult', part));
    } finally {
      found.content.destroy();
    }
  },
};

/** Unlike that of a read, one that is not all there is refused. */
function rangeOf(text: string | undefined, size: number): { start: number; end: number } | undefined {
  if (text === undefined) return undefined;
  const range = readRange(text);
  if (range === undefined || 'last' in range || range.end === undefined || range.end >= size)
    throw driveError(
      'InvalidArgument',
      `x-amz-copy-source-range must be bytes=<first>-<last> within ${size} bytes.`,
    );
  return { start: range.start, end: range.end };
}
