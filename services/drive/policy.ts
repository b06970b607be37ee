import { roleIsAtLeast } from '@haic/services/workspaces/client.ts';
import { driveError } from './errors.ts';
import type { Bucket } from './model.ts';

/** What somebody wants of a bucket. */
export type Wish = 'read' | 'write';

/** A viewer of a workspace reads what is in its bucket, an editor changes it. One's own bucket is one's own. */
export const mayUse = ({ role }: Pick<Bucket, 'role'>, wish: Wish): boolean =>
  roleIsAtLeast(role, wish === 'read' ? 'viewer' : 'editor');

export function enforce(bucket: Bucket, wish: Wish): void {
  if (mayUse(bucket, wish)) return;
  throw driveError(
    'AccessDenied',
    `As a ${bucket.role} of this workspace you may read its objects. Changing them takes an editor.`,
  );
}
