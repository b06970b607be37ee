import type { ServiceImpl } from '@connectrpc/connect';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import { SecretService as SecretRpc } from '../gen/ai/h2o/securestore/v1/secret_pb.js';
import { presentSecret } from '../present.ts';
import type { SecretService } from '../service.ts';
import { callerOf } from './caller.ts';
import { jsonRules } from './json-rules.ts';
import { nameOf, refusalsOf } from './told.ts';

/** `ai.h2o.securestore.v1.SecretService`. */
export function serveSecrets(service: SecretService) {
  const implementation: ServiceImpl<typeof SecretRpc> = {
    createSecret: async ({ parent, secretId, secret }, context) => {
      const { displayName = '', annotations = {} } = secret ?? {};
      const wanted = { parent, id: secretId, displayName, annotations };
      return { secret: presentSecret(await service.createSecret(callerOf(context), wanted)) };
    },
    getSecret: async ({ name }, context) => ({
      secret: presentSecret(await service.getSecret(callerOf(context), name)),
    }),
    listSecrets: async (request, context) => {
      const { secrets, ...page } = await service.listSecrets(callerOf(context), request);
      return { secrets: secrets.map(presentSecret), ...page };
    },
    deleteSecret: async ({ name }, context) => ({
      secret: presentSecret(await service.deleteSecret(callerOf(context), name)),
    }),
    undeleteSecret: async ({ name }, context) => ({
      secret: presentSecret(await service.undeleteSecret(callerOf(context), name)),
    }),
  };
  return serve(SecretRpc, implementation, {
    ...{ json: jsonRules, deed: 'use secrets' },
    methods: {
      createSecret: refusalsOf('actions/securestore/secrets/CREATE', secretsIn),
      getSecret: refusalsOf('actions/securestore/secrets/GET', nameOf),
      listSecrets: refusalsOf('actions/securestore/secrets/LIST', secretsIn),
      deleteSecret: refusalsOf('actions/securestore/secrets/DELETE', nameOf),
      undeleteSecret: refusalsOf('actions/securestore/secrets/UNDELETE', nameOf),
    },
  });
}

const secretsIn = ({ parent }: { readonly parent: string }): string => `${parent}/secrets`;
