import type { Principal } from '@haic/kit/auth/principal.ts';
import { roleIsAtLeast, type WorkspaceRole } from '@haic/services/workspaces/client.ts';
import type { Filter } from './filter.ts';

type Who = Pick<Principal, 'subject' | 'roles'>;

/** How the trail names who is signed in. */
export const principalNameOf = ({ subject }: Pick<Principal, 'subject'>): string => `users/${subject}`;

/** Platform administrators: everything. Everybody: what they did themselves. */
export const maySearch = (who: Who, { exact }: Pick<Filter, 'exact'>): boolean =>
  who.roles.includes('admin') || exact.principal === principalNameOf(who);

/** The one workspace that a search asks for, whose administrators may then search it; undefined when it asks for more, or for none. */
export const workspaceAskedFor = ({ exact }: Pick<Filter, 'exact'>): string | undefined =>
  exact.workspace === undefined || exact.workspace === '' ? undefined : exact.workspace;

export const maySearchWorkspace = (role: WorkspaceRole): boolean => roleIsAtLeast(role, 'admin');
