import { HaicError } from '@haic/kit/errors.ts';
import type { WorkspaceAccess, WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { driveError, noSuchBucket } from './errors.ts';
import type { Bucket, DriveSession } from './model.ts';

export const ownBucketName = '_my';
const bucketName = /^[a-zA-Z0-9.\-_]{1,255}$/;

export interface Buckets {
  /** Throws `NoSuchBucket` for what is not there and for what the asker may not know of. */
  find(session: DriveSession, name: string): Promise<Bucket>;
  /** Own and of workspaces, by name. */
  list(session: DriveSession): Promise<readonly Bucket[]>;
}

/** Buckets exist by themselves: one for each person, and one for each workspace, whose roles count in it. */
export function createBuckets(workspaces: WorkspacesClient): Buckets {
  return {
    find: async (session, name) => {
      if (name === ownBucketName) return bucketOfPerson(session.subject);
      if (!bucketName.test(name)) throw noSuchBucket(name);
      const access = await workspaces.accessOf(session, `workspaces/${name}`).catch((error: unknown) => {
        throw bucketError(error, name);
      });
      return { ...workspaceBucket(access), name };
    },
    list: async (session) => {
      const all = await workspaces.workspacesOf(session).catch((error: unknown) => {
        throw bucketError(error, '');
      });
      return [bucketOfPerson(session.subject), ...all.map(workspaceBucket)].sort((a, b) =>
        a.name < b.name ? -1 : 1,
      );
    },
  };
}

/** Somebody's own. */
export function bucketOfPerson(subject: string): Bucket {
  const id = encodeURIComponent(subject);
  return { name: ownBucketName, prefix: `drive/people/${id}/`, kind: 'own', id: subject, role: 'owner' };
}

export function workspaceBucket(access: WorkspaceAccess): Bucket {
  const id = access.workspace.replace(/^workspaces\//, '');
  return { name: id, prefix: `drive/workspaces/${id}/`, kind: 'workspace', id, role: access.role };
}

function bucketError(error: unknown, name: string): unknown {
  if (!(error instanceof HaicError)) return error;
  if (error.status === 404 || error.status === 400) return noSuchBucket(name);
  if (error.status === 503)
    return driveError('ServiceUnavailable', `Workspaces cannot be asked: ${error.message}`, { cause: error });
  return error;
}
