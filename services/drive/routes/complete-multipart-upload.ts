import { bodyOf } from '../body.ts';
import { writeConditionOf } from '../conditions.ts';
import { driveError } from '../errors.ts';
import { limits } from '../model.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { presentCompleted } from '../present.ts';
import { sendXml } from '../respond.ts';
import { percentEncodePath } from '../signature/encoding.ts';
import { childText, expectRoot, longestDocument, malformedXml, parseXml, readAll } from '../xml/read.ts';
import { uploadIdOf } from './parameters.ts';

export const completeMultipartUpload: BucketOperation = {
  name: 'CompleteMultipartUpload',
  wish: 'write',
  deed: deeds.complete,
  handle: async (request, bucket, { objects, driveUrl, trail }) => {
    const body = bodyOf(request, longestDocument);
    const parts = readParts(await readAll(body.open(), longestDocument));
    const upload = { bucket, key: request.key, uploadId: uploadIdOf(request) };
    const { etag } = await objects.completeUpload(upload, parts, {
      ...writeConditionOf(request.header),
      signal: request.signal,
    });
    await trail.used(request, bucket, deeds.complete, { uploadId: upload.uploadId });
    const location = `${driveUrl}/${bucket.name}/${percentEncodePath(request.key)}`;
    sendXml(request, presentCompleted(bucket, request.key, location, etag));
  },
};

function readParts(text: string): { partNumber: number; etag: string }[] {
  const root = expectRoot(parseXml(text), 'CompleteMultipartUpload');
  const parts = root.children
    .filter(({ name }) => name === 'Part')
    .map((part) => ({
      partNumber: Number(childText(part, 'PartNumber')?.trim() || Number.NaN),
      etag: (childText(part, 'ETag') ?? '').trim().replace(/^"(.*)"$/, '$1'),
    }));
  if (parts.length === 0 || parts.length > limits.parts)
    throw malformedXml(`it names 1 to ${limits.parts} parts`);
  for (const [index, { partNumber }] of parts.entries()) {
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > limits.parts)
      throw driveError('InvalidPart', `A part has a number from 1 to ${limits.parts}.`);
    if (partNumber <= (parts[index - 1]?.partNumber ?? 0))
      throw driveError('InvalidPartOrder', 'Parts are named by ascending numbers, each once.');
  }
  return parts;
}
