import { Type } from '@fastify/type-provider-typebox';
import { noContent } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { auditOf, type OceanServer, ownSignal, type RouteContext } from './context.ts';
import { deed, KeySchema, tags, UploadParams } from './schemas.ts';

const schema = {
  operationId: 'abortDriveUpload',
  summary: 'Gives an upload up, with the parts that are there.',
  tags,
  params: UploadParams,
  querystring: Type.Object({ key: KeySchema }),
  response: { 204: noContent },
};

/** DELETE /api/v1/drive/buckets/:bucket/uploads/:uploadId */
export function abortUploadRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = auditOf(service, 'actions/drive/uploads/DELETE');
  server.delete(
    '/api/v1/drive/buckets/:bucket/uploads/:uploadId',
    { schema, config: { deed, audit } },
    async (request, reply) => {
      const upload = { ...request.params, key: request.query.key };
      await service.abortUpload(principalOf(request), upload, ownSignal());
      return reply.code(204).send();
    },
  );
}
