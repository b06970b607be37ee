import type { Static } from '@fastify/type-provider-typebox';
import type { Share } from '../shares.ts';
import type { Usage } from '../usage/store.ts';
import type { FormerPersonView } from './former-people.ts';
import type { FolderEntry } from './listing.ts';
import { isFolder, lastName, type Operation, type TrashEntry } from './model.ts';
import type { QuotaView } from './quotas.ts';
import type {
  BucketSchema,
  EntrySchema,
  FormerPersonSchema,
  OperationSchema,
  QuotaSchema,
  ShareSchema,
  TrashSchema,
} from './routes/schemas.ts';
import type { Address, BucketView } from './service.ts';

const presentUsage = ({ bytes, objects, quota }: Usage) => ({
  // A count that is being corrected may be below nothing for a moment.
  bytes: Math.max(bytes, 0),
  objects: Math.max(objects, 0),
  quota: quota === 0 ? null : quota,
});

export const presentBucket = (bucket: BucketView): Static<typeof BucketSchema> => ({
  name: bucket.name,
  kind: bucket.kind === 'own' ? 'OWN' : 'WORKSPACE',
  role: bucket.role,
  canWrite: bucket.canWrite,
  usage: presentUsage(bucket.usage),
  trash: presentUsage(bucket.trash),
});

export const presentEntry = ({ key, object }: FolderEntry): Static<typeof EntrySchema> => {
  const name = lastName(key);
  if (object === undefined) return { key, name: name.slice(0, -1), kind: 'FOLDER' };
  return {
    ...{ key, name: isFolder(name) ? name.slice(0, -1) : name, kind: 'OBJECT', size: object.size },
    ...{ modifiedAt: object.modifiedAt.toISOString(), etag: object.etag },
  };
};

export const presentAddress = ({ url, expiresAt }: Address) => ({ url, expiresAt: expiresAt.toISOString() });

export const presentOperation = (operation: Operation): Static<typeof OperationSchema> => ({
  ...{ id: operation.id, kind: operation.kind, bucket: operation.bucket, state: operation.state },
  ...{ done: operation.done, failed: operation.failed, total: operation.total ?? null },
  failures: operation.failures.map(({ key, code, message }) => ({ key, code, message })),
  trashId: operation.trashId ?? null,
  createdAt: operation.createdAt.toISOString(),
  endedAt: operation.endedAt?.toISOString() ?? null,
});

export const presentFormerPerson = (person: FormerPersonView): Static<typeof FormerPersonSchema> => ({
  ...{ subject: person.subject, username: person.username, usage: presentUsage(person.usage) },
  trash: presentUsage(person.trash),
  ...{ endedAt: person.endedAt.toISOString(), purgeAt: person.purgeAt.toISOString() },
  operation: person.operation === undefined ? null : presentOperation(person.operation),
});

export const presentShare = ({ id, key, createdAt, expiresAt }: Share): Static<typeof ShareSchema> => ({
  ...{ id, key, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() },
});

export const presentQuota = ({ usage, trash, isDefault }: QuotaView): Static<typeof QuotaSchema> => ({
  ...{ usage: presentUsage(usage), trash: presentUsage(trash), isDefault },
});

export const presentTrash = (
  entry: TrashEntry,
  deletedBy: string,
  trashDays: number,
): Static<typeof TrashSchema> => ({
  ...{ id: entry.id, name: entry.name, items: entry.items, deletedBy },
  deletedAt: entry.deletedAt.toISOString(),
  emptiedAt: new Date(entry.deletedAt.getTime() + trashDays * 86_400_000).toISOString(),
});
