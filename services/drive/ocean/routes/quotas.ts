import { Type } from '@fastify/type-provider-typebox';
import { orNull, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentQuota } from '../present.ts';
import type { Quotas } from '../quotas.ts';
import type { OceanServer } from './context.ts';
import { QuotaSchema, tags } from './schemas.ts';

const deed = 'administer people';
const at = '/api/v1/drive/quotas/:kind/:id';

const params = Type.Object({
  kind: Type.Union([Type.Literal('people'), Type.Literal('workspaces')]),
  id: Type.String({
    maxLength: 255,
    pattern: '^[^\\u0000]*$',
    description: 'Subject of the person, or id of the workspace.',
  }),
});
const response = { 200: QuotaSchema, ...problems(403, 404) };

const get = {
  operationId: 'getDriveQuota',
  summary: 'How much somebody or a workspace keeps in Drive, and may keep; for administrators.',
  tags,
  params,
  response,
};
const put = {
  operationId: 'setDriveQuota',
  summary: 'Sets how much somebody or a workspace may keep in Drive, in place of what the installation says.',
  description: 'What is there stays, also when it is more: nothing is added to it then.',
  tags,
  params,
  body: Type.Object(
    {
      quota: orNull(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Bytes; null for no limit.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response,
};
const reset = {
  operationId: 'resetDriveQuota',
  summary: 'Goes back to what the installation says for all.',
  tags,
  params,
  response,
};

/** GET, PUT and DELETE /api/v1/drive/quotas/{people,workspaces}/:id */
export function quotaRoutes(server: OceanServer, quotas: Quotas): void {
  const resource = '//drive/quotas/{kind}/{id}';
  server.get(at, { schema: get, config: { deed } }, async (request) =>
    presentQuota(await quotas.get(principalOf(request), request.params)),
  );
  const setting = { action: 'actions/drive/quotas/SET', resource, parameters: ['quota'] };
  server.put(at, { schema: put, config: { deed, audit: setting } }, async (request) =>
    presentQuota(await quotas.set(principalOf(request), request.params, request.body.quota ?? 0)),
  );
  const resetting = { action: 'actions/drive/quotas/RESET', resource };
  server.delete(at, { schema: reset, config: { deed, audit: resetting } }, async (request) =>
    presentQuota(await quotas.set(principalOf(request), request.params, undefined)),
  );
}
