import { headersOf } from '../attributes.ts';
import { checkConditions } from '../conditions.ts';
import { driveError } from '../errors.ts';
import type { Bucket } from '../model.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation, OperationParts } from '../operation.ts';
import { rangeIn, readRange } from '../range.ts';
import type { DriveRequest } from '../request.ts';
import { sendBlob } from '../respond.ts';

export const getObject: BucketOperation = {
  name: 'GetObject',
  wish: 'read',
  deed: deeds.get,
  handle: async (request, bucket, parts) => {
    const { info, range, ...found } = await find(request, bucket, parts);
    try {
      checkConditions(request.header, info);
      const headers = headersOf(info, request);
      if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${info.size}`;
      const length = range === undefined ? info.size : range.end - range.start + 1;
      request.allow(length);
      // Before the first byte leaves, which may be all that somebody wants. It waits for nothing.
      const part = range === undefined ? {} : { range: `${range.start}-${range.end}` };
      void parts.trail.used(request, bucket, deeds.get, part);
      request.response.writeHead(range === undefined ? 200 : 206, { ...headers, 'content-length': length });
    } catch (error) {
      found.content.destroy();
      throw error;
    }
    await sendBlob(request, found);
  },
};

const mostLooks = 10;

/** Which bytes are meant may depend on what is there, which may be replaced between the two looks. */
async function find(request: DriveRequest, bucket: Bucket, { objects }: OperationParts) {
  const { key, signal } = request;
  const wanted = readRange(request.header('range'));
  if (wanted === undefined) return { ...(await objects.get(bucket, key, { signal })), range: undefined };
  for (let looks = 1; ; looks += 1) {
    const before = await objects.head(bucket, key, { signal });
    checkConditions(request.header, before);
    const ifRange = request.header('if-range')?.trim();
    const isOther = ifRange?.startsWith('"') === true && ifRange !== `"${before.etag}"`;
    const range = isOther ? undefined : rangeIn(wanted, before.size);
    const found = await objects.get(bucket, key, { signal, ...(range === undefined ? {} : { range }) });
    if (found.info.etag === before.etag) return { ...found, range };
    found.content.destroy();
    signal.throwIfAborted();
    if (looks === mostLooks)
      throw driveError('ServiceUnavailable', 'The object changes faster than it can be read. Ask again.');
  }
}
