import { randomBytes } from 'node:crypto';
import type { Bucket } from '../model.ts';

/** Twelve characters: of an operation and, for a deletion, of what it puts into the trash. */
export const newId = (): string => randomBytes(9).toString('base64url');
export const idForm = /^[A-Za-z0-9_-]{12}$/;

/** Keys of the trash are those of the bucket, behind the id of the deletion. */
export const trashKey = (id: string, key: string): string => `${id}/${key}`;

/**
 * Where what was deleted from a bucket lies: beside it, so that no S3 client lists it, with an account of its own. The quota of a bucket is that
 * of its trash, too: it is bounded, and a full bucket can still be emptied.
 */
export const trashOf = (bucket: Pick<Bucket, 'prefix'>): Bucket => ({
  name: 'trash',
  prefix: bucket.prefix.replace(/^drive\//, 'drive/trash/'),
  kind: 'own',
  id: 'trash',
  role: 'owner',
});
