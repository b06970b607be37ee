/** As the service names them, from less to more. */
export const roles = ['ROLE_VIEWER', 'ROLE_EDITOR', 'ROLE_ADMIN', 'ROLE_OWNER'] as const;
export type Role = (typeof roles)[number];

export const roleNames: Readonly<Record<Role, string>> = {
  ROLE_VIEWER: 'Viewer',
  ROLE_EDITOR: 'Editor',
  ROLE_ADMIN: 'Admin',
  ROLE_OWNER: 'Owner',
};

export const roleHints: Readonly<Record<Role, string>> = {
  ROLE_VIEWER: 'Sees and uses what is there. Reads no secrets.',
  ROLE_EDITOR: 'Makes and changes it, and reads its secrets.',
  ROLE_ADMIN: 'Also says who is in the workspace, and describes it.',
  ROLE_OWNER: 'Also deletes and restores the workspace.',
};

/** Said to who has it. */
export const ownRole: Readonly<Record<Role, string>> = {
  ROLE_VIEWER: 'You are a viewer here: you see and use what is there, and read no secrets.',
  ROLE_EDITOR: 'You are an editor here: you make and change what is there, and read its secrets.',
  ROLE_ADMIN: 'You are an admin here: you also say who is in the workspace.',
  ROLE_OWNER: 'You are an owner here: you also say who is in the workspace, and may delete it.',
};

export const isRole = (role: string): role is Role => (roles as readonly string[]).includes(role);

export const isAtLeast = (role: string, least: Role): boolean =>
  isRole(role) && roles.indexOf(role) >= roles.indexOf(least);

/** What somebody who has this role may give. */
export const rolesUpTo = (role: string): readonly Role[] => roles.filter((each) => isAtLeast(role, each));
