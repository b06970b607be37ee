import { Type } from '@fastify/type-provider-typebox';
import { Timestamp } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAddress } from '../present.ts';
import { auditOf, type OceanServer, type RouteContext, signalOf } from './context.ts';
import { AddressSchema, BucketParams, deed, KeySchema, tags } from './schemas.ts';

const schema = {
  operationId: 'addressDriveObject',
  summary: 'An address to get an object from, for a quarter of an hour.',
  tags,
  params: BucketParams,
  querystring: Type.Object({
    key: KeySchema,
    disposition: Type.Optional(
      Type.Union([Type.Literal('ATTACHMENT'), Type.Literal('INLINE')], {
        description: 'To be saved as a file, as browsers do unless it is INLINE.',
      }),
    ),
  }),
  response: {
    200: Type.Object(
      {
        ...AddressSchema,
        size: Type.Integer(),
        contentType: Type.String(),
        modifiedAt: Timestamp,
        etag: Type.String(),
      },
      { title: 'DriveObject', additionalProperties: false },
    ),
  },
};

/** GET /api/v1/drive/buckets/:bucket/address */
export function getObjectAddressRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = auditOf(service, 'actions/drive/objects/GET', { readOnly: true, parameters: ['key'] });
  server.get(
    '/api/v1/drive/buckets/:bucket/address',
    { schema, config: { deed, audit } },
    async (request, reply) => {
      const { key, disposition = 'ATTACHMENT' } = request.query;
      const { info, ...address } = await service.addressObject(
        ...([principalOf(request), request.params.bucket, key, disposition, signalOf(reply)] as const),
      );
      reply.header('cache-control', 'no-store');
      return {
        ...presentAddress(address),
        ...{ size: info.size, contentType: info.contentType, etag: info.etag },
        modifiedAt: info.modifiedAt.toISOString(),
      };
    },
  );
}
