import type { ServiceImpl } from '@connectrpc/connect';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import { SecretVersionService } from '../gen/ai/h2o/securestore/v1/secret_version_pb.js';
import { versionName } from '../model.ts';
import { presentVersion } from '../present.ts';
import type { SecretService } from '../service.ts';
import { callerOf } from './caller.ts';
import { jsonRules } from './json-rules.ts';
import { nameOf, refusalsOf } from './told.ts';

/** `ai.h2o.securestore.v1.SecretVersionService`. */
export function serveSecretVersions(service: SecretService) {
  const implementation: ServiceImpl<typeof SecretVersionService> = {
    createSecretVersion: async ({ parent, secretVersion }, context) => {
      const value = secretVersion?.value ?? new Uint8Array();
      return { secretVersion: presentVersion(await service.createVersion(callerOf(context), parent, value)) };
    },
    getSecretVersion: async ({ name }, context) => ({
      secretVersion: presentVersion(await service.getVersion(callerOf(context), name)),
    }),
    listSecretVersions: async (request, context) => {
      const { versions, ...page } = await service.listVersions(callerOf(context), request);
      return { secretVersions: versions.map(presentVersion), ...page };
    },
    revealSecretVersionValue: async ({ name }, context) => {
      context.responseHeader.set('cache-control', 'no-store');
      const { version, value } = await service.revealValue(callerOf(context), name);
      return { name: versionName(version), value: Uint8Array.from(value) };
    },
  };
  return serve(SecretVersionService, implementation, {
    ...{ json: jsonRules, deed: 'use secrets' },
    methods: {
      createSecretVersion: refusalsOf('actions/securestore/versions/CREATE', versionsIn),
      getSecretVersion: refusalsOf('actions/securestore/versions/GET', nameOf),
      listSecretVersions: refusalsOf('actions/securestore/versions/LIST', versionsIn),
      revealSecretVersionValue: refusalsOf('actions/securestore/versions/REVEALVALUE', nameOf),
    },
  });
}

const versionsIn = ({ parent }: { readonly parent: string }): string => `${parent}/versions`;
