import { Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import { pageQuery } from '@haic/kit/http/paging.ts';
import { bounds } from '../model.ts';

export const tags = ['Drive'];
export const deed = 'use Drive';

/**
 * A place in a list is a key, which is longer than those of other lists. What does not fit into an address beside a folder's name is refused by
 * the router, and not in words: so it is no longer than it must be.
 */
export const keyPageQuery = {
  ...pageQuery,
  pageToken: Type.Optional(
    Type.String({
      maxLength: 1500,
      pattern: '^[A-Za-z0-9_-]*$',
      description: '`nextPageToken` of the page before; absent for the first.',
    }),
  ),
};

/** Not checked for its form: what is no name is a bucket that does not exist. */
export const BucketParams = Type.Object({
  bucket: Type.String({ description: '`_my` for one’s own, else the id of a workspace.' }),
});
export const UploadParams = Type.Object({ ...BucketParams.properties, uploadId: Type.String() });
export const OperationParams = Type.Object({ id: Type.String({ description: 'Of the operation.' }) });

const text = (description: string, minLength = 1) =>
  Type.String({ minLength, maxLength: bounds.keyBytes, pattern: '^[^\\u0000]*$', description });
export const KeySchema = text('Of an object: its name with all its folders.');
export const ItemSchema = text('Of an object, or of a folder, with a slash at the end: all that is in it.');
export const FolderSchema = text('Of a folder, with a slash at its end; empty for the bucket’s root.', 0);

export const CollisionSchema = Type.Union(
  [Type.Literal('FAIL'), Type.Literal('REPLACE'), Type.Literal('KEEP_BOTH')],
  {
    title: 'DriveCollision',
    description:
      'What becomes of a name that is taken: FAIL refuses, REPLACE replaces, KEEP_BOTH takes another name.',
  },
);

const UsageSchema = Type.Object(
  {
    bytes: Type.Integer(),
    objects: Type.Integer(),
    quota: orNull(Type.Integer({ description: 'Bytes; null for no limit.' })),
  },
  { title: 'DriveUsage', additionalProperties: false },
);

export const BucketSchema = Type.Object(
  {
    name: Type.String({ description: 'As S3 clients name it.' }),
    kind: Type.Union([Type.Literal('OWN'), Type.Literal('WORKSPACE')]),
    role: Type.String({ description: 'viewer, editor, admin or owner of the workspace.' }),
    canWrite: Type.Boolean(),
    usage: UsageSchema,
    trash: UsageSchema,
  },
  { title: 'DriveBucket', additionalProperties: false },
);

export const EntrySchema = Type.Object(
  {
    key: Type.String(),
    name: Type.String({ description: 'The last part of the key, of a folder without its slash.' }),
    kind: Type.Union([Type.Literal('FOLDER'), Type.Literal('OBJECT')]),
    size: Type.Optional(Type.Integer({ description: 'Bytes, of an object.' })),
    modifiedAt: Type.Optional(Timestamp),
    etag: Type.Optional(Type.String()),
  },
  { title: 'DriveEntry', additionalProperties: false },
);

export const PartSchema = Type.Object(
  { partNumber: Type.Integer(), size: Type.Integer(), etag: Type.String() },
  { title: 'DrivePart', additionalProperties: false },
);

export const OperationSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.String({ description: 'COPY, MOVE, DELETE, RESTORE or PURGE.' }),
    bucket: Type.String(),
    state: Type.Union([
      Type.Literal('RUNNING'),
      Type.Literal('SUCCEEDED'),
      Type.Literal('FAILED'),
      Type.Literal('CANCELLED'),
    ]),
    done: Type.Integer({ description: 'Objects.' }),
    failed: Type.Integer(),
    total: orNull(Type.Integer({ description: 'Null until they are counted.' })),
    failures: listOf(
      Type.Object(
        { key: Type.String(), code: Type.String(), message: Type.String() },
        { additionalProperties: false },
      ),
      { description: 'The first few.' },
    ),
    trashId: orNull(Type.String({ description: 'By which a deletion is undone with RESTORE.' })),
    createdAt: Timestamp,
    endedAt: orNull(Timestamp),
  },
  { title: 'DriveOperation', additionalProperties: false },
);

export const TrashSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String({ description: 'The key of the first that was deleted.' }),
    items: Type.Integer({ description: 'How many were deleted together; a folder counts once.' }),
    deletedBy: Type.String({ description: 'User name.' }),
    deletedAt: Timestamp,
    emptiedAt: Timestamp,
  },
  { title: 'DriveTrashEntry', additionalProperties: false },
);

export const FormerPersonSchema = Type.Object(
  {
    subject: Type.String(),
    username: Type.String({ description: 'As they were called; empty when it is not known.' }),
    endedAt: Timestamp,
    purgeAt: Timestamp,
    usage: UsageSchema,
    trash: UsageSchema,
    operation: orNull(OperationSchema),
  },
  {
    title: 'DriveFormerPerson',
    description: '`operation` is the last hand-over (MOVE) or purge (DELETE), for a week.',
    additionalProperties: false,
  },
);

export const QuotaSchema = Type.Object(
  {
    usage: UsageSchema,
    trash: UsageSchema,
    isDefault: Type.Boolean({ description: 'Whether it is what the installation says for all.' }),
  },
  { title: 'DriveQuota', additionalProperties: false },
);

export const ShareSchema = Type.Object(
  { id: Type.String(), key: Type.String(), createdAt: Timestamp, expiresAt: Timestamp },
  { title: 'DriveSharedLink', additionalProperties: false },
);

export const AddressSchema = {
  url: Type.String({ description: 'Good for whoever has it, without signing in: until `expiresAt`.' }),
  expiresAt: Timestamp,
};
