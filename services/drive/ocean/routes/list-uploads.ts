import { Type } from '@fastify/type-provider-typebox';
import { Timestamp } from '@haic/kit/http/operation.ts';
import { pageOf } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { type OceanServer, type RouteContext, signalOf } from './context.ts';
import { keyTokenOf, readKeyToken } from './key-page.ts';
import { BucketParams, deed, keyPageQuery, tags } from './schemas.ts';

const UploadSchema = Type.Object(
  { key: Type.String(), uploadId: Type.String(), startedAt: Timestamp },
  { title: 'DriveUpload', additionalProperties: false },
);

const schema = {
  operationId: 'listDriveUploads',
  summary: 'Uploads in parts that are neither completed nor given up, by key.',
  tags,
  params: BucketParams,
  querystring: Type.Object({ ...keyPageQuery }),
  response: { 200: pageOf(UploadSchema) },
};

/** GET /api/v1/drive/buckets/:bucket/uploads */
export function listUploadsRoute(server: OceanServer, { service }: RouteContext): void {
  server.get(
    '/api/v1/drive/buckets/:bucket/uploads',
    { schema, config: { deed } },
    async (request, reply) => {
      const { pageSize = 50, pageToken } = request.query;
      const { uploads, more } = await service.listUploads(principalOf(request), request.params.bucket, {
        after: readKeyToken(pageToken),
        limit: pageSize,
        signal: signalOf(reply),
      });
      const last = uploads.at(-1);
      return {
        items: uploads.map((upload) => ({
          ...{ key: upload.key, uploadId: upload.uploadId },
          startedAt: upload.startedAt.toISOString(),
        })),
        ...(more && last !== undefined ? { nextPageToken: keyTokenOf(last.key, last.uploadId) } : {}),
      };
    },
  );
}
