import { Type } from '@fastify/type-provider-typebox';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { bounds } from '../model.ts';
import { presentOperation } from '../present.ts';
import { newId } from '../trash.ts';
import type { OceanServer, RouteContext } from './context.ts';
import {
  CollisionSchema,
  deed,
  FolderSchema,
  ItemSchema,
  KeySchema,
  OperationSchema,
  tags,
} from './schemas.ts';

const bucket = Type.String({ maxLength: 255 });
const keys = Type.Array(ItemSchema, { minItems: 1, maxItems: bounds.keysPerOperation });
const trash = Type.Array(Type.String({ maxLength: 20 }), { minItems: 1, maxItems: 1000 });
const closed = { additionalProperties: false };
const of = (kind: 'COPY' | 'MOVE') =>
  Type.Object(
    {
      kind: Type.Literal(kind),
      bucket,
      keys,
      target: Type.Object(
        {
          bucket,
          into: Type.Optional(FolderSchema),
          as: Type.Optional(KeySchema),
        },
        { ...closed, description: '`into` a folder, or one of them `as` another key.' },
      ),
      collision: Type.Optional(CollisionSchema),
    },
    closed,
  );

const schema = {
  operationId: 'startDriveOperation',
  summary: 'Copies, moves, deletes, restores: one object, or whole folders.',
  description:
    'Answered when it has ended, or after a moment while it still runs (RUNNING). What was deleted lies in the trash unless `permanently`; RESTORE brings it back, PURGE removes it for good: all of it without `trash`.',
  tags,
  body: Type.Union([
    of('COPY'),
    of('MOVE'),
    Type.Object(
      { kind: Type.Literal('DELETE'), bucket, keys, permanently: Type.Optional(Type.Boolean()) },
      closed,
    ),
    Type.Object(
      { kind: Type.Literal('RESTORE'), bucket, trash, collision: Type.Optional(CollisionSchema) },
      closed,
    ),
    Type.Object({ kind: Type.Literal('PURGE'), bucket, trash: Type.Optional(trash) }, closed),
  ]),
  response: { 200: OperationSchema, ...problems(404, 507) },
};

type Given = Readonly<Record<string, string>>;

/** POST /api/v1/drive/operations */
export function startOperationRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = {
    ...{ action: 'actions/drive/operations/CREATE', resource: '//drive/operations/{answer.id}' },
    parameters: ['kind', 'bucket', 'keys', 'trash', 'target.bucket'],
    workspaceOf: (caller: Principal, { kind, bucket, 'target.bucket': target }: Given) =>
      service.workspaceOf(caller, ...(kind === 'COPY' ? [target] : [bucket, target])),
  };
  const config = { deed, audit, idempotent: { secrets: [] } } as const;
  server.post('/api/v1/drive/operations', { schema, config }, async (request) => {
    const { body } = request;
    const collision = 'collision' in body ? (body.collision ?? 'FAIL') : 'FAIL';
    const wanted =
      body.kind === 'DELETE'
        ? { ...body, permanently: body.permanently ?? false }
        : body.kind === 'PURGE'
          ? { ...body, trash: body.trash }
          : { ...body, collision };
    return presentOperation(await service.operate(principalOf(request), wanted, newId()));
  });
}
