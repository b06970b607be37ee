import { driveError } from '../errors.ts';
import type { Bucket } from '../model.ts';
import type { OperationParts } from '../operation.ts';
import { enforce } from '../policy.ts';
import type { DriveRequest } from '../request.ts';
import { percentDecode } from '../signature/encoding.ts';

/** `x-amz-copy-source: /<bucket>/<key>`, percent-encoded; read by who may read there. */
export async function copySourceOf(
  request: DriveRequest,
  { buckets }: OperationParts,
): Promise<{ bucket: Bucket; key: string }> {
  const text = request.header('x-amz-copy-source') ?? '';
  const [path = '', query] = text.split('?', 2);
  if (query !== undefined && query !== 'versionId=null')
    throw driveError('NotImplemented', 'Drive keeps no versions.');
  const decoded = percentDecode(path)?.replace(/^\//, '') ?? '';
  const slash = decoded.indexOf('/');
  if (slash <= 0 || slash === decoded.length - 1)
    throw driveError('InvalidArgument', 'x-amz-copy-source must be /<bucket>/<key>, percent-encoded.');
  const bucket = await buckets.find(request.session, decoded.slice(0, slash));
  enforce(bucket, 'read');
  return { bucket, key: decoded.slice(slash + 1) };
}

/** As the audit trail hears it. */
export const nameOfSource = ({ bucket, key }: { readonly bucket: Bucket; readonly key: string }): string =>
  `${bucket.kind === 'workspace' ? bucket.id : bucket.name}/${key}`;
