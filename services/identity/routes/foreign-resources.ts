import type { Deed } from '@haic/kit/auth/party-policy.ts';
import { listOf, noContent, problems, Timestamp } from '@haic/kit/http/operation.ts';
import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import type { FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { presentForeignResource } from '../foreign-resources/present.ts';
import type { ForeignResourcesService } from '../foreign-resources/service.ts';
import type { Person } from '../model.ts';

const tags = ['Foreign resources'];

const ForeignResourceSchema = Type.Object(
  {
    name: Type.String(),
    audience: Type.String({ description: 'The one `aud` of tokens for it.' }),
    description: Type.String(),
    scopes: listOf(Type.String()),
    apps: listOf(Type.String({ description: 'Id of an app whose instances may ask, or `*`.' })),
    serviceAccounts: listOf(Type.String({ description: 'Name, or `*`.' })),
    createdAt: Timestamp,
  },
  { title: 'ForeignResource', additionalProperties: false },
);

const words = Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 200 }));
const fields = {
  description: Type.Optional(Type.String({ maxLength: 800 })),
  scopes: words,
  apps: words,
  serviceAccounts: words,
};
const newResource = Type.Object(
  { name: Type.String({ maxLength: 128 }), audience: Type.String({ maxLength: 1000 }), ...fields },
  { additionalProperties: false },
);
const changes = Type.Object(fields, { additionalProperties: false });
const byName = Type.Object({ name: Type.String({ maxLength: 128 }) });
const querystring = Type.Object(pageQuery);

/** For administrators by the public API, and for `./haic foreign-resource` on the machine itself. */
export interface ForeignResourceRoutes {
  readonly resources: ForeignResourcesService;
  readonly path: string;
  readonly deed: Deed;
  /** Undefined for the operator. */
  readonly by: (request: FastifyRequest) => Person | undefined;
}

export function registerForeignResourceRoutes(scope: HttpServer, routes: ForeignResourceRoutes): void {
  const { resources, path, by } = routes;
  const config = { deed: routes.deed };
  const nameOf = (request: FastifyRequest) => (request.params as Static<typeof byName>).name;

  const list = {
    operationId: 'listForeignResources',
    summary: 'What others guard and tokens may be exchanged for, by name; for administrators',
    tags,
    querystring,
    response: { 200: pageOf(ForeignResourceSchema) },
  };
  scope.get(path, { schema: list, config }, async (request) => {
    const { pageSize = 50, pageToken } = request.query as Static<typeof querystring>;
    const [after = ''] = placeAfter(pageToken, /^[a-z0-9-]{1,63}$/) ?? [];
    const found = await resources.page(after, pageSize + 1);
    const { page, next } = cutPage(found, pageSize, ({ name }) => [name]);
    return { items: page.map(presentForeignResource), ...next };
  });

  const create = {
    operationId: 'addForeignResource',
    summary: 'Registers a foreign resource, and who may ask for tokens for it',
    tags,
    body: newResource,
    response: { 201: ForeignResourceSchema, ...problems(409) },
  };
  scope.post(
    path,
    {
      schema: create,
      config: {
        ...config,
        idempotent: { secrets: [] },
        audit: {
          action: 'actions/identity/resources/CREATE',
          resource: '//identity/resources/{answer.name}',
        },
      },
    },
    async (request, reply) => {
      const {
        description = '',
        scopes = [],
        apps = [],
        serviceAccounts = [],
        ...rest
      } = request.body as Static<typeof newResource>;
      const made = await resources.create(
        { ...rest, description, scopes, apps, serviceAccounts },
        by(request),
      );
      reply.code(201).header('location', `${path}/${made.name}`);
      return presentForeignResource(made);
    },
  );

  const get = {
    operationId: 'getForeignResource',
    summary: 'A foreign resource',
    tags,
    params: byName,
    response: { 200: ForeignResourceSchema },
  };
  scope.get(`${path}/:name`, { schema: get, config }, async (request) =>
    presentForeignResource(await resources.get(nameOf(request))),
  );

  const change = {
    operationId: 'changeForeignResource',
    summary: 'Changes who may ask for tokens for a foreign resource, and for which scopes',
    tags,
    params: byName,
    body: changes,
    response: { 200: ForeignResourceSchema },
  };
  scope.patch(
    `${path}/:name`,
    {
      schema: change,
      config: {
        ...config,
        audit: { action: 'actions/identity/resources/UPDATE', resource: '//identity/resources/{name}' },
      },
    },
    async (request) =>
      presentForeignResource(
        await resources.change(nameOf(request), request.body as Static<typeof changes>, by(request)),
      ),
  );

  const remove = {
    operationId: 'removeForeignResource',
    summary: 'Removes a foreign resource: no token is exchanged for it any more',
    tags,
    params: byName,
    response: { 204: noContent },
  };
  scope.delete(
    `${path}/:name`,
    {
      schema: remove,
      config: {
        ...config,
        audit: { action: 'actions/identity/resources/DELETE', resource: '//identity/resources/{name}' },
      },
    },
    async (request, reply) => {
      await resources.remove(nameOf(request), by(request));
      return reply.code(204).send();
    },
  );
}
