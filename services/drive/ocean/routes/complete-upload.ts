import { Type } from '@fastify/type-provider-typebox';
import { noContent, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { auditOf, type OceanServer, ownSignal, type RouteContext } from './context.ts';
import { CollisionSchema, deed, KeySchema, tags, UploadParams } from './schemas.ts';

const schema = {
  operationId: 'completeDriveUpload',
  summary: 'Makes the object of its parts, which must be there to the last byte.',
  tags,
  params: UploadParams,
  body: Type.Object(
    { key: KeySchema, collision: Type.Optional(CollisionSchema) },
    { additionalProperties: false },
  ),
  response: { 204: noContent, ...problems(409, 507) },
};

/** POST /api/v1/drive/buckets/:bucket/uploads/:uploadId/complete */
export function completeUploadRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = auditOf(service, 'actions/drive/uploads/COMPLETE', { parameters: ['key'] });
  server.post(
    '/api/v1/drive/buckets/:bucket/uploads/:uploadId/complete',
    { schema, config: { deed, audit } },
    async (request, reply) => {
      const { key, collision = 'FAIL' } = request.body;
      const upload = { ...request.params, key };
      await service.completeUpload(principalOf(request), upload, collision, ownSignal());
      return reply.code(204).send();
    },
  );
}
