import { headersOf } from '../attributes.ts';
import { checkConditions } from '../conditions.ts';
import type { BucketOperation } from '../operation.ts';
import { rangeIn, readRange } from '../range.ts';

export const headObject: BucketOperation = {
  name: 'HeadObject',
  wish: 'read',
  handle: async (request, bucket, { objects }) => {
    const info = await objects.head(bucket, request.key, { signal: request.signal });
    checkConditions(request.header, info);
    const wanted = readRange(request.header('range'));
    const range = wanted === undefined ? undefined : rangeIn(wanted, info.size);
    const headers = headersOf(info, request);
    if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${info.size}`;
    const length = range === undefined ? info.size : range.end - range.start + 1;
    request.response
      .writeHead(range === undefined ? 200 : 206, { ...headers, 'content-length': length })
      .end();
  },
};
