import type { OperationParts } from '../operation.ts';
import { presentBuckets } from '../present.ts';
import type { DriveRequest } from '../request.ts';
import { sendXml } from '../respond.ts';

/** The caller's own, and those of the workspaces that they are in. */
export async function listBuckets(request: DriveRequest, { buckets }: OperationParts): Promise<void> {
  sendXml(request, presentBuckets(await buckets.list(request.session)));
}
