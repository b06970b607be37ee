/** What people think of as the kind of account; a role each, and an administrator has both. */
export type Access = 'admin' | 'user' | 'visitor';

const rolesOfAccess: Readonly<Record<Access, readonly string[]>> = {
  admin: ['admin', 'user'],
  user: ['user'],
  visitor: ['visitor'],
};
const known = new Set(Object.values(rolesOfAccess).flat());

export const accessNames: Readonly<Record<Access, string>> = {
  admin: 'Administrator',
  user: 'User',
  visitor: 'Visitor',
};

export const accessHints: Readonly<Record<Access, string>> = {
  admin: 'Also looks after people, and all apps and instances.',
  user: 'Imports, shares and runs apps.',
  visitor: 'Opens public instances by their address; sees no apps in the store.',
};

export function accessOf(roles: readonly string[]): Access {
  if (roles.includes('admin')) return 'admin';
  return roles.includes('user') ? 'user' : 'visitor';
}

export const furtherRoles = (roles: readonly string[]): string[] => roles.filter((role) => !known.has(role));

/**
 * Leaves the roles behind the access as they were when it was not changed: they may have been given in another way. `before` is
 * undefined for somebody new.
 */
export function rolesFrom(
  access: Access,
  further: readonly string[],
  before: readonly string[] | undefined,
): string[] {
  const unchanged = before !== undefined && accessOf(before) === access;
  const base = unchanged ? before.filter((role) => known.has(role)) : rolesOfAccess[access];
  return [...new Set([...base, ...further])];
}

/** "a, b" → ['a', 'b'] */
export const labelsFrom = (text: string): string[] =>
  text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
