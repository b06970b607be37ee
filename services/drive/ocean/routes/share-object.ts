import { Type } from '@fastify/type-provider-typebox';
import { principalOf } from '@haic/kit/http/server.ts';
import { bounds } from '../model.ts';
import { presentAddress } from '../present.ts';
import { auditOf, type OceanServer, type RouteContext, signalOf } from './context.ts';
import { AddressSchema, BucketParams, deed, KeySchema, tags } from './schemas.ts';

const schema = {
  operationId: 'shareDriveObject',
  summary: 'A link by which anybody may get an object, for up to seven days.',
  description:
    'It also works after signing out, and ends early when who shares takes it back, or loses their account or their access to the bucket.',
  tags,
  params: BucketParams,
  body: Type.Object(
    { key: KeySchema, expiresInSeconds: Type.Integer({ minimum: 60, maximum: bounds.shareSeconds }) },
    { additionalProperties: false },
  ),
  response: { 201: Type.Object(AddressSchema, { title: 'DriveShare', additionalProperties: false }) },
};

/** POST /api/v1/drive/buckets/:bucket/shares */
export function shareObjectRoute(server: OceanServer, { service }: RouteContext): void {
  const parameters = ['key', 'expiresInSeconds'];
  const audit = auditOf(service, 'actions/drive/shares/CREATE', { parameters });
  server.post(
    '/api/v1/drive/buckets/:bucket/shares',
    { schema, config: { deed, audit } },
    async (request, reply) => {
      const { key, expiresInSeconds } = request.body;
      const address = await service.share(
        ...([principalOf(request), request.params.bucket, key, expiresInSeconds, signalOf(reply)] as const),
      );
      return reply.header('cache-control', 'no-store').code(201).send(presentAddress(address));
    },
  );
}
