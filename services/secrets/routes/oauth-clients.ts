import type { ServiceImpl } from '@connectrpc/connect';
import { invalid } from '@haic/kit/errors.ts';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import { changesBy, type UpdateRules } from '@haic/kit/grpc-gateway/update-mask.ts';
import {
  type OAuthClient as OAuthClientMessage,
  OAuthClientService as OAuthClientRpc,
  OAuthClientSchema,
  type UpdateOAuthClientRequest,
} from '../gen/ai/h2o/securestore/v1/oauth_client_pb.js';
import type { OAuthClientsService } from '../oauth/clients.ts';
import type { ClientChanges, OAuthClient } from '../oauth/model.ts';
import { presentOAuthClient } from '../present.ts';
import { callerOf } from './caller.ts';
import { jsonRules } from './json-rules.ts';
import { nameOf, refusalsOf } from './told.ts';

/** `ai.h2o.securestore.v1.OAuthClientService`. */
export function serveOAuthClients(
  service: OAuthClientsService,
  callbackUriOf: (client: OAuthClient) => string,
) {
  const present = (client: OAuthClient) => presentOAuthClient(client, callbackUriOf(client));
  const implementation: ServiceImpl<typeof OAuthClientRpc> = {
    createOAuthClient: async ({ oauthClient, oauthClientId }, context) => ({
      oauthClient: present(await service.create(callerOf(context), oauthClientId, needed(oauthClient))),
    }),
    getOAuthClient: async ({ name }) => ({ oauthClient: present(await service.get(name)) }),
    listOAuthClients: async (request) => {
      const { clients, nextPageToken } = await service.list(request);
      return { oauthClients: clients.map(present), nextPageToken };
    },
    updateOAuthClient: async ({ oauthClient, updateMask }, context) => {
      const wanted = needed(oauthClient);
      const changes = changesBy(OAuthClientSchema, wanted, updateMask, updates);
      return { oauthClient: present(await service.update(callerOf(context), wanted.name, changes)) };
    },
    deleteOAuthClient: async ({ name }, context) => {
      await service.remove(callerOf(context), name);
      return {};
    },
    invalidateTokenSources: async ({ name }, context) => {
      await service.invalidateTokenSources(callerOf(context), name);
      return {};
    },
  };
  const administer = { deed: 'administer OAuth clients' } as const;
  return serve(OAuthClientRpc, implementation, {
    ...{ json: jsonRules, deed: 'use secrets' },
    methods: {
      createOAuthClient: {
        ...administer,
        ...refusalsOf('actions/securestore/oauthClients/CREATE', () => 'oauthClients'),
      },
      getOAuthClient: refusalsOf('actions/securestore/oauthClients/GET', nameOf),
      listOAuthClients: refusalsOf('actions/securestore/oauthClients/LIST', () => 'oauthClients'),
      updateOAuthClient: {
        ...administer,
        ...refusalsOf('actions/securestore/oauthClients/UPDATE', nameOfUpdated),
      },
      deleteOAuthClient: { ...administer, ...refusalsOf('actions/securestore/oauthClients/DELETE', nameOf) },
      invalidateTokenSources: {
        ...administer,
        ...refusalsOf('actions/securestore/oauthClients/INVALIDATETOKENSOURCES', nameOf),
      },
    },
  });
}

/** What a provider knows Haic by never changes: who needs it otherwise needs another client. */
const updates = {
  changeable: ['displayName', 'extraScopes', 'refreshDisabled', 'loginPrincipalClaim'],
  outputOnly: [
    ...['clientSecretSet', 'callbackUri', 'creator', 'updater', 'createTime', 'updateTime', 'uid'],
  ],
  unmasked: 'refused',
} as const satisfies UpdateRules<typeof OAuthClientSchema, keyof ClientChanges>;

const nameOfUpdated = ({ oauthClient }: UpdateOAuthClientRequest): string =>
  oauthClient?.name ?? 'oauthClients';

function needed(client: OAuthClientMessage | undefined): OAuthClientMessage {
  if (client === undefined) throw invalid('invalid_oauth_client', 'The OAuth client itself is missing.');
  return client;
}
