import type { ForeignResource } from './model.ts';

export const presentForeignResource = (resource: ForeignResource) => ({
  name: resource.name,
  audience: resource.audience,
  description: resource.description,
  scopes: resource.scopes,
  apps: resource.apps,
  serviceAccounts: resource.serviceAccounts,
  createdAt: resource.createdAt.toISOString(),
});
