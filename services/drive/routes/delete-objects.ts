import { bodyOf } from '../body.ts';
import { driveErrorOf } from '../from-error.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { presentDeleted } from '../present.ts';
import { sendXml } from '../respond.ts';
import { childText, expectRoot, longestDocument, malformedXml, parseXml, readAll } from '../xml/read.ts';

const mostKeys = 1000;

export const deleteObjects: BucketOperation = {
  name: 'DeleteObjects',
  wish: 'write',
  deed: deeds.remove,
  handle: async (request, bucket, { objects, trail }) => {
    const body = bodyOf(request, longestDocument);
    const { keys, quiet } = readDelete(await readAll(body.open(), longestDocument));
    const outcomes = await trail.removing(request, bucket, keys, () =>
      objects.removeAll(bucket, keys, { signal: request.signal }),
    );
    const told = outcomes.map(({ key, error }) =>
      error === undefined ? { key } : { key, error: driveErrorOf(error) },
    );
    sendXml(request, presentDeleted(told, quiet));
  },
};

function readDelete(text: string): { keys: readonly string[]; quiet: boolean } {
  const root = expectRoot(parseXml(text), 'Delete');
  const keys = root.children
    .filter(({ name }) => name === 'Object')
    .map((object) => childText(object, 'Key') ?? '');
  if (keys.length === 0 || keys.length > mostKeys) throw malformedXml(`it names 1 to ${mostKeys} objects`);
  for (const key of keys) {
    if (key === '' || Buffer.byteLength(key) > 1024 || !key.isWellFormed())
      throw malformedXml('a key has 1 to 1024 bytes of UTF-8');
  }
  return { keys: [...new Set(keys)], quiet: childText(root, 'Quiet')?.trim() === 'true' };
}
