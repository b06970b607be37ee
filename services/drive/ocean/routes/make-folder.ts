import { Type } from '@fastify/type-provider-typebox';
import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentEntry } from '../present.ts';
import { auditOf, type OceanServer, ownSignal, type RouteContext } from './context.ts';
import { BucketParams, deed, EntrySchema, ItemSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'createDriveFolder',
  summary: 'Makes an empty folder.',
  tags,
  params: BucketParams,
  body: Type.Object({ key: ItemSchema }, { additionalProperties: false }),
  response: { 201: EntrySchema, ...problems(409, 507) },
};

/** POST /api/v1/drive/buckets/:bucket/folders */
export function makeFolderRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = auditOf(service, 'actions/drive/folders/CREATE', { parameters: ['key'] });
  server.post(
    '/api/v1/drive/buckets/:bucket/folders',
    { schema, config: { deed, audit, idempotent: { secrets: [] } } },
    async (request, reply) => {
      const { key } = request.body;
      await service.makeFolder(principalOf(request), request.params.bucket, key, ownSignal());
      return reply.code(201).send(presentEntry({ key, object: undefined }));
    },
  );
}
