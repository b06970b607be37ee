import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { ArtifactStore } from '../artifacts.ts';

/** How the provider looks up the clients that come and go (the app instances'). */
export type FindClient = (clientId: string) => Promise<AdapterPayload | undefined>;

/** The provider's storage on PostgreSQL: one adapter a model, all of them views of the artifact store. */
export const createAdapter =
  (artifacts: ArtifactStore, findClient: FindClient) =>
  (model: string): Adapter =>
    model === 'Client' ? clientAdapter(findClient) : artifactAdapter(artifacts, model);

function artifactAdapter(artifacts: ArtifactStore, model: string): Adapter {
  return {
    upsert: (id, payload, expiresIn) => artifacts.upsert(model, id, payload, expiresIn),
    find: (id) => artifacts.find(model, id),
    findByUid: (uid) => artifacts.findSession(uid),
    findByUserCode: (userCode) => artifacts.findByUserCode(userCode),
    destroy: (id) => artifacts.destroy(model, id),
    revokeByGrantId: (grantId) => artifacts.revokeByGrantId(model, grantId),
    consume: async (id) => {
      if (!(await artifacts.consume(model, id))) throw new errors.InvalidGrant('already used');
    },
  };
}

/** Clients are registered by the identity service only, never through the provider. */
function clientAdapter(findClient: FindClient): Adapter {
  const refuse = () => Promise.reject(new Error('The provider registers no clients.'));
  return {
    find: findClient,
    upsert: refuse,
    destroy: refuse,
    consume: refuse,
    revokeByGrantId: refuse,
    findByUid: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
  };
}
