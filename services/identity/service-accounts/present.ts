import { clientIdOf, type ServiceAccount } from './model.ts';

export const presentServiceAccount = (account: ServiceAccount) => ({
  id: account.id,
  name: account.name,
  clientId: clientIdOf(account.name),
  description: account.description,
  owner: account.owner.username ?? null,
  roles: account.roles,
  groups: account.groups,
  state: account.state,
  disabled: account.disabled,
  expiresAt: account.expiresAt?.toISOString() ?? null,
  createdAt: account.createdAt.toISOString(),
  lastUsedAt: account.lastUsedAt?.toISOString() ?? null,
  secretCreatedAt: account.secretCreatedAt?.toISOString() ?? null,
  earlierSecretEndsAt: account.earlierSecretEndsAt?.toISOString() ?? null,
});
