import { Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { limits } from '../../model.ts';
import { presentAddress } from '../present.ts';
import { auditOf, type OceanServer, ownSignal, type RouteContext } from './context.ts';
import {
  AddressSchema,
  BucketParams,
  CollisionSchema,
  deed,
  KeySchema,
  PartSchema,
  tags,
} from './schemas.ts';

const schema = {
  operationId: 'beginDriveUpload',
  summary: 'Begins to upload a file, or goes on with it.',
  description:
    'A small file is PUT whole to `address.url`; of a large one, the parts that are not in `parts` yet are PUT to addresses of their own. Whoever asks again for the same file, by key, size and time of its last change, goes on with the upload that was broken off.',
  tags,
  params: BucketParams,
  body: Type.Object(
    {
      key: KeySchema,
      size: Type.Integer({ minimum: 0, maximum: limits.objectBytes }),
      modifiedAt: Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Milliseconds since 1970.',
      }),
      contentType: Type.Optional(Type.String({ maxLength: 200, pattern: '^[a-zA-Z0-9!#$&^_.+/; ="-]*$' })),
      collision: Type.Optional(CollisionSchema),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      {
        key: Type.String({ description: 'Another one than was asked for, if both are kept.' }),
        address: orNull(
          Type.Object(AddressSchema, {
            additionalProperties: false,
            description: 'To PUT the whole file to; null when it comes in parts.',
          }),
        ),
        uploadId: orNull(Type.String()),
        partBytes: orNull(Type.Integer({ description: 'Of every part but the last.' })),
        parts: listOf(PartSchema, { description: 'That are there already.' }),
      },
      { title: 'DriveUploadBegun', additionalProperties: false },
    ),
    ...problems(409, 507),
  },
};

/** POST /api/v1/drive/buckets/:bucket/uploads */
export function beginUploadRoute(server: OceanServer, { service }: RouteContext): void {
  const audit = auditOf(service, 'actions/drive/uploads/CREATE', { parameters: ['key', 'size'] });
  server.post(
    '/api/v1/drive/buckets/:bucket/uploads',
    { schema, config: { deed, audit } },
    async (request, reply) => {
      const { collision = 'FAIL', contentType, ...file } = request.body;
      const begun = await service.beginUpload(
        principalOf(request),
        request.params.bucket,
        { ...file, contentType: contentType === '' ? undefined : contentType },
        collision,
        ownSignal(),
      );
      reply.header('cache-control', 'no-store');
      const inParts = begun.kind === 'PARTS' ? begun : undefined;
      return {
        key: begun.key,
        address: begun.address === undefined ? null : presentAddress(begun.address),
        uploadId: inParts?.uploadId ?? null,
        partBytes: inParts?.partBytes ?? null,
        parts: (inParts?.parts ?? []).map(({ partNumber, size, etag }) => ({ partNumber, size, etag })),
      };
    },
  );
}
