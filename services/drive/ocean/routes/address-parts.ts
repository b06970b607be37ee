import { Type } from '@fastify/type-provider-typebox';
import { listOf } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAddress } from '../present.ts';
import { type OceanServer, type RouteContext, signalOf } from './context.ts';
import { AddressSchema, deed, KeySchema, tags, UploadParams } from './schemas.ts';

const schema = {
  operationId: 'addressDriveParts',
  summary: 'Addresses to PUT parts to.',
  tags,
  params: UploadParams,
  body: Type.Object(
    {
      key: KeySchema,
      partNumbers: Type.Array(Type.Integer({ minimum: 1, maximum: 10_000 }), { minItems: 1, maxItems: 100 }),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      {
        items: listOf(
          Type.Object(
            { partNumber: Type.Integer(), ...AddressSchema },
            { title: 'DrivePartAddress', additionalProperties: false },
          ),
        ),
      },
      { additionalProperties: false },
    ),
  },
};

/** POST /api/v1/drive/buckets/:bucket/uploads/:uploadId/addresses */
export function addressPartsRoute(server: OceanServer, { service }: RouteContext): void {
  const config = {
    deed,
    unaudited: 'the upload was recorded when it was begun, and is when it ends',
  } as const;
  server.post(
    '/api/v1/drive/buckets/:bucket/uploads/:uploadId/addresses',
    { schema, config },
    async (request, reply) => {
      const { key, partNumbers } = request.body;
      const upload = { ...request.params, key };
      const found = await service.addressParts(principalOf(request), upload, partNumbers, signalOf(reply));
      reply.header('cache-control', 'no-store');
      return {
        items: found.map(({ partNumber, ...address }) => ({ partNumber, ...presentAddress(address) })),
      };
    },
  );
}
