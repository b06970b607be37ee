import { Type } from '@fastify/type-provider-typebox';
import type { RouteAudit } from '@haic/kit/audit/routes.ts';
import { listOf } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentOperation } from '../present.ts';
import type { OceanServer, RouteContext } from './context.ts';
import { deed, OperationParams, OperationSchema, tags } from './schemas.ts';

const list = {
  operationId: 'listDriveOperations',
  summary: 'What one did to objects in the last hour, the newest first.',
  tags,
  response: { 200: Type.Object({ items: listOf(OperationSchema) }, { additionalProperties: false }) },
};
const get = {
  operationId: 'getDriveOperation',
  summary: 'How far an operation is.',
  tags,
  params: OperationParams,
  response: { 200: OperationSchema },
};
const cancel = {
  operationId: 'cancelDriveOperation',
  summary: 'Ends an operation. What was done stays done.',
  tags,
  params: OperationParams,
  response: { 200: OperationSchema },
};

/** GET /api/v1/drive/operations and …/:id, POST …/:id/cancel */
export function operationRoutes(server: OceanServer, { service }: RouteContext): void {
  server.get('/api/v1/drive/operations', { schema: list, config: { deed } }, async (request) => ({
    items: (await service.listOperations(principalOf(request))).map(presentOperation),
  }));
  server.get('/api/v1/drive/operations/:id', { schema: get, config: { deed } }, async (request) =>
    presentOperation(await service.getOperation(principalOf(request), request.params.id)),
  );
  const audit: RouteAudit = {
    ...{ action: 'actions/drive/operations/CANCEL', resource: '//drive/operations/{id}' },
    workspaceOf: (caller, { id = '' }) => service.workspaceOfOperation(caller, id),
  };
  server.post(
    '/api/v1/drive/operations/:id/cancel',
    { schema: cancel, config: { deed, audit } },
    async (request) =>
      presentOperation(await service.cancelOperation(principalOf(request), request.params.id)),
  );
}
