import { Type } from '@fastify/type-provider-typebox';
import type { OceanServer, RouteContext } from './context.ts';
import { deed, tags } from './schemas.ts';

const schema = {
  operationId: 'describeDrive',
  summary: 'Where Drive is, and what is set for it.',
  tags,
  response: {
    200: Type.Object(
      {
        driveUrl: Type.String({ description: 'Of S3.' }),
        stsUrl: Type.String({ description: 'Of temporary keys.' }),
        trashDays: Type.Integer({ description: 'So long the trash is kept; 0 for not at all.' }),
      },
      { title: 'Drive', additionalProperties: false },
    ),
  },
};

/** GET /api/v1/drive */
export function describeDriveRoute(server: OceanServer, { service }: RouteContext): void {
  server.get('/api/v1/drive', { schema, config: { deed } }, async () => service.about());
}
