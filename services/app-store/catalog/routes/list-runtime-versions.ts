import { Type } from '@fastify/type-provider-typebox';
import { listOf } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { RuntimeVersion } from '../manifest/runtime.ts';
import type { CatalogServer, RouteContext } from './context.ts';

const schema = {
  operationId: 'listRuntimeVersions',
  summary: 'The names that a bundle may give as Runtime.RuntimeVersion.',
  tags: ['Apps'],
  response: {
    200: Type.Object(
      {
        items: listOf(
          Type.Object(
            {
              name: Type.String(),
              status: Type.Union([Type.Literal('Default'), Type.Literal('Deprecated'), Type.Literal('')]),
              python: Type.String({ description: 'As in 3.11.' }),
              aliases: listOf(Type.String()),
              available: Type.Boolean({ description: 'Whether its Python is there: apps can run on it.' }),
            },
            { title: 'RuntimeVersion', additionalProperties: false },
          ),
        ),
      },
      { additionalProperties: false },
    ),
  },
};

/** GET /api/v1/runtime-versions: in the order of the settings. */
export function listRuntimeVersionsRoute(server: CatalogServer, { service }: RouteContext): void {
  server.get('/api/v1/runtime-versions', { schema, config: { deed: 'see apps' } }, (request) => ({
    items: service.listRuntimeVersions(principalOf(request)).map((version) => ({
      name: version.name,
      status: statusOf(version),
      python: version.python ?? '',
      aliases: version.aliases,
      available: version.unavailable === undefined,
    })),
  }));
}

function statusOf(version: RuntimeVersion): 'Default' | 'Deprecated' | '' {
  if (version.default === true) return 'Default';
  return version.deprecated === true ? 'Deprecated' : '';
}
