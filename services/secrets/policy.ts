import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, type HaicError } from '@haic/kit/errors.ts';
import { roleIsAtLeast, type WorkspaceRole } from '@haic/services/workspaces/client.ts';

/**
 * Who may do what. Pure: the role in the workspace and the action decide. Which kind of client may, `kit/auth/party-policy.ts` has said before.
 * Whoever is in a workspace sees what secrets it has and has apps use them; reading a value is for those who may change it anyway.
 */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly error: HaicError };

const least = {
  'actions/securestore/secrets/CREATE': 'editor',
  'actions/securestore/secrets/GET': 'viewer',
  'actions/securestore/secrets/LIST': 'viewer',
  'actions/securestore/secrets/DELETE': 'editor',
  'actions/securestore/secrets/UNDELETE': 'editor',
  'actions/securestore/versions/CREATE': 'editor',
  'actions/securestore/versions/GET': 'viewer',
  'actions/securestore/versions/LIST': 'viewer',
  'actions/securestore/versions/REVEALVALUE': 'editor',
} as const satisfies Record<string, WorkspaceRole>;

export type SecretAction = keyof typeof least;

export function may(role: WorkspaceRole, action: SecretAction): Decision {
  if (roleIsAtLeast(role, least[action])) return allowed;
  return action === 'actions/securestore/versions/REVEALVALUE'
    ? refuse(
        `Reading the value of a secret needs the role ${least[action]} in its workspace; yours is ${role}. Your apps may use it.`,
      )
    : refuse(`This needs the role ${least[action]} in the workspace; yours is ${role}.`);
}

/** What Haic is at other providers concerns everybody. */
export const mayChangeOAuthClients = ({ roles }: Pick<Principal, 'roles'>): Decision =>
  roles.includes('admin') ? allowed : refuse('OAuth clients are made and changed by administrators.');

const allowed: Decision = { allowed: true };
const refuse = (message: string): Decision => ({ allowed: false, error: forbidden('not_allowed', message) });
