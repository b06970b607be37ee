import type { Readable } from 'node:stream';
import { conflict, forbidden, notFound } from '@haic/kit/errors.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { CatalogClient } from '../catalog/client.ts';
import type { createSecretsOfInstances } from './app-secrets.ts';
import type { SecretValues } from './launcher-config.ts';
import type { Instance } from './model.ts';

/** What a running instance may ask of the store, once its signature is verified. */
export interface LauncherService {
  openBundle(id: string, signal: AbortSignal): Promise<{ size: number; content: Readable }>;
  /** Throws `secret_unavailable` (403) when something is missing that the app cannot do without. */
  secretValues(id: string): Promise<SecretValues>;
  mintToken(id: string): Promise<{ accessToken: string; expiresIn: number }>;
}

export function createLauncherService(options: {
  find: (id: string) => Promise<Instance | undefined>;
  catalog: CatalogClient;
  identity: IdentityClient;
  secrets: Pick<ReturnType<typeof createSecretsOfInstances>, 'valuesFor'>;
}): LauncherService {
  async function load(id: string): Promise<Instance> {
    const instance = await options.find(id);
    if (instance === undefined) throw notFound(`The instance ${id}`);
    return instance;
  }
  return {
    async openBundle(id, signal) {
      const instance = await load(id);
      const bundle = await options.catalog.openBundle(instance.app.id, { signal });
      if (bundle === undefined) throw notFound(`The bundle of ${instance.app.title} ${instance.app.version}`);
      return bundle;
    },
    async secretValues(id) {
      const instance = await load(id);
      // Starting, or about to be seen so: the launcher asks as soon as it lives. Whatever else holds the key of an instance starts nothing.
      if (!asksAtStart.has(instance.status))
        throw conflict('instance_not_running', 'Only an instance that starts gets its secrets.');
      const app = await options.catalog.getApp(instance.app.id);
      if (app === undefined) throw notFound(`The app of the instance ${id}`);
      return options.secrets.valuesFor(app, instance);
    },
    async mintToken(id) {
      const instance = await load(id);
      // Asked each time: the handle is withdrawn the moment others may open the instance (design §6).
      if (!actsForItsOwner(instance))
        throw forbidden(
          'platform_handle_withdrawn',
          'This instance can be opened by others, so its code gets no token of its owner. Use the tokens of q.auth.',
        );
      if (instance.status !== 'STARTING' && instance.status !== 'DEPLOYED')
        throw conflict('instance_not_running', 'Only an instance that runs gets tokens.');
      return options.identity.mintAppToken({ instanceId: id, subject: instance.owner.subject });
    },
  };
}

/** Its code has tokens of its owner then, and what it got by them, as temporary keys of Drive, is good. */
export const actsForItsOwner = ({ visibility }: Pick<Instance, 'visibility'>): boolean =>
  visibility === 'PRIVATE';

const asksAtStart: ReadonlySet<Instance['status']> = new Set(['PENDING', 'STARTING']);
