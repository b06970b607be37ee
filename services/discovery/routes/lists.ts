import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static, type TSchema } from 'typebox';
import type { Catalogue } from '../model.ts';
import { pageOf } from '../paging.ts';
import { presentClient, presentComponent, presentLink, presentPage, presentService } from '../present.ts';
import { ClientSchema, ComponentSchema, LinkSchema, pageSchema, ServiceSchema, tags } from './schemas.ts';

/** 0 is the default size: so Google's API rules, which the official clients follow, have it. */
const pageQuery = Type.Object({
  pageSize: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  pageToken: Type.Optional(Type.String({ maxLength: 64 })),
});

export const discoveryPath = '/.ai.h2o.cloud.discovery/v1';
export const discoveryConfig = { public: 'discovery: every client asks it first, without credentials' };

const summaries = {
  services: 'The services of this Haic and their addresses.',
  clients: 'The OAuth clients that programs sign in as.',
  links: 'Links worth knowing.',
  components: 'What this Haic is made of, with versions.',
};
type Collection = keyof typeof summaries;

/** The four collections have one shape: `GET <base>/<collection>` → `{<collection>: […], nextPageToken?}`. */
export function registerLists(scope: HttpServer, catalogue: Catalogue): void {
  registerList(scope, 'services', ServiceSchema, catalogue.services.map(presentService));
  registerList(scope, 'clients', ClientSchema, catalogue.clients.map(presentClient));
  registerList(scope, 'links', LinkSchema, catalogue.links.map(presentLink));
  registerList(scope, 'components', ComponentSchema, catalogue.components.map(presentComponent));
}

function registerList(
  scope: HttpServer,
  collection: Collection,
  record: TSchema,
  records: readonly object[],
): void {
  const schema = {
    operationId: `list${collection[0]?.toUpperCase()}${collection.slice(1)}`,
    summary: summaries[collection],
    tags,
    querystring: pageQuery,
    response: { 200: pageSchema(collection, record) },
  };
  const options = { config: discoveryConfig, schema };
  scope.get(`${discoveryPath}/${collection}`, options, async (request) =>
    presentPage(collection, pageOf(records, request.query as Static<typeof pageQuery>)),
  );
}
