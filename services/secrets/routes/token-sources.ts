import type { ServiceImpl } from '@connectrpc/connect';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import { TokenSourceService } from '../gen/ai/h2o/securestore/v1/token_source_pb.js';
import type { TokenSourcesService } from '../oauth/sources.ts';
import { presentTokenSource } from '../present.ts';
import { callerOf } from './caller.ts';
import { jsonRules } from './json-rules.ts';
import { nameOf, refusalsOf } from './told.ts';

/** `ai.h2o.securestore.v1.TokenSourceService`. */
export function serveTokenSources(service: TokenSourcesService) {
  const implementation: ServiceImpl<typeof TokenSourceService> = {
    createTokenSource: async ({ parent, tokenSource, tokenSourceId }, context) => {
      const redirectUri = tokenSource?.redirectUri ?? '';
      const made = await service.create(callerOf(context), parent, tokenSourceId, redirectUri);
      return { tokenSource: presentTokenSource(made) };
    },
    getTokenSource: async ({ name }, context) => {
      context.responseHeader.set('cache-control', 'no-store');
      return { tokenSource: presentTokenSource(await service.get(callerOf(context), name)) };
    },
    listTokenSources: async (request, context) => {
      context.responseHeader.set('cache-control', 'no-store');
      const { sources, nextPageToken } = await service.list(callerOf(context), request);
      return { tokenSources: sources.map(presentTokenSource), nextPageToken };
    },
    deleteTokenSource: async ({ name }, context) => {
      await service.remove(callerOf(context), name);
      return {};
    },
  };
  return serve(TokenSourceService, implementation, {
    ...{ json: jsonRules, deed: 'connect accounts' },
    methods: {
      createTokenSource: refusalsOf('actions/securestore/tokenSources/CREATE', sourcesIn),
      getTokenSource: refusalsOf('actions/securestore/tokenSources/GET', nameOf),
      listTokenSources: refusalsOf('actions/securestore/tokenSources/LIST', sourcesIn),
      deleteTokenSource: refusalsOf('actions/securestore/tokenSources/DELETE', nameOf),
    },
  });
}

const sourcesIn = ({ parent }: { readonly parent: string }): string => `${parent}/tokenSources`;
