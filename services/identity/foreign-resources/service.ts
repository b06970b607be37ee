import { conflict, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Person } from '../model.ts';
import { checkDescription } from '../service-accounts/model.ts';
import {
  checkAudience,
  checkClients,
  checkResourceName,
  checkScopes,
  type ForeignResource,
  type ForeignResourceFields,
  isResourceName,
} from './model.ts';
import type { ForeignResourceStore } from './store.ts';

export type NewForeignResource = Omit<ForeignResource, 'createdAt'>;

/** What administrators, and the operator (`by` undefined), do with foreign resources. */
export interface ForeignResourcesService {
  page(after: string, limit: number): Promise<readonly ForeignResource[]>;
  get(name: string): Promise<ForeignResource>;
  create(resource: NewForeignResource, by?: Person): Promise<ForeignResource>;
  /** Whatever is left out stays. The audience never changes: that would be another resource. */
  change(name: string, changes: Partial<ForeignResourceFields>, by?: Person): Promise<ForeignResource>;
  remove(name: string, by?: Person): Promise<void>;
}

export function createForeignResourcesService(parts: {
  resources: ForeignResourceStore;
  publicUrl: string;
  logger: Logger;
}): ForeignResourcesService {
  const { resources, publicUrl, logger } = parts;
  const missing = (name: string) => notFound(`The foreign resource "${name.slice(0, 60)}"`);
  const note = (resource: ForeignResource, by: Person | undefined, what: string) => {
    const { name, audience, apps, serviceAccounts } = resource;
    logger.info(
      { resource: name, audience, apps, serviceAccounts, by: by?.username ?? 'the operator' },
      `A foreign resource was ${what}.`,
    );
  };

  async function get(name: string): Promise<ForeignResource> {
    const resource = isResourceName(name) ? await resources.byName(name) : undefined;
    if (resource === undefined) throw missing(name);
    return resource;
  }

  return {
    page: resources.page,
    get,

    create: async (wanted, by) => {
      const checked = {
        name: checkResourceName(wanted.name),
        audience: checkAudience(wanted.audience, publicUrl),
        ...checkFields(wanted),
      };
      const resource = await resources.insert(checked);
      if (resource === undefined)
        throw conflict(
          'foreign_resource_taken',
          `There is a foreign resource "${checked.name}", or one of this audience, already.`,
        );
      note(resource, by, 'registered');
      return resource;
    },

    change: async (name, changes, by) => {
      const resource = await resources.update(name, checkFields({ ...(await get(name)), ...changes }));
      if (resource === undefined) throw missing(name);
      note(resource, by, 'changed');
      return resource;
    },

    remove: async (name, by) => {
      const resource = await get(name);
      if (!(await resources.remove(name))) throw missing(name);
      note(resource, by, 'removed');
    },
  };
}

const checkFields = (fields: ForeignResourceFields): ForeignResourceFields => ({
  description: checkDescription(fields.description),
  scopes: checkScopes(fields.scopes),
  apps: checkClients(fields.apps),
  serviceAccounts: checkClients(fields.serviceAccounts),
});
