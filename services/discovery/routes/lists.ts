import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import type { Catalogue } from '../model.ts';
import { pageOf } from '../paging.ts';
import { presentClient, presentComponent, presentLink, presentPage, presentService } from '../present.ts';

const pageQuery = Type.Object({
  pageSize: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  pageToken: Type.Optional(Type.String({ maxLength: 64 })),
});

export const discoveryPath = '/.ai.h2o.cloud.discovery/v1';
export const discoveryConfig = { public: 'discovery: every client asks it first, without credentials' };

/** The four collections have one shape: `GET <base>/<collection>` → `{<collection>: […], nextPageToken?}`. */
export function registerLists(scope: HttpServer, catalogue: Catalogue): void {
  registerList(scope, 'services', catalogue.services.map(presentService));
  registerList(scope, 'clients', catalogue.clients.map(presentClient));
  registerList(scope, 'links', catalogue.links.map(presentLink));
  registerList(scope, 'components', catalogue.components.map(presentComponent));
}

function registerList(scope: HttpServer, collection: string, records: readonly object[]): void {
  const options = { config: discoveryConfig, schema: { querystring: pageQuery } };
  scope.get(`${discoveryPath}/${collection}`, options, async (request) =>
    presentPage(collection, pageOf(records, request.query as Static<typeof pageQuery>)),
  );
}
