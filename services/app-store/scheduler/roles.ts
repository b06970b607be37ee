/** Role names as the identity service writes them into `realm_access.roles`. */
const adminRole = 'admin';
const fullAccessRole = 'user';

export const isAdmin = (roles: readonly string[]): boolean => roles.includes(adminRole);

/** Someone who may use what is shared with all users. Everyone else who is signed in is a visitor: own things only. */
export const hasFullAccess = (roles: readonly string[]): boolean =>
  roles.includes(fullAccessRole) || isAdmin(roles);
