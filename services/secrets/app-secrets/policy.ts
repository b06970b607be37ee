import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, type HaicError } from '@haic/kit/errors.ts';
import { roleIsAtLeast, type WorkspaceRole } from '@haic/services/workspaces/client.ts';
import type { SecretVisibility } from './model.ts';

/**
 * Who may put a secret into an app, and who may run it with it. Whoever writes an app can make it show what it was given: putting a secret into
 * an app of one's own is a way to read it, so it takes the right to read. Running somebody's app is not: its user gets what the app does with the
 * value, and takes the right to use.
 */
export type LentFrom =
  /** The importer's own. Lent to their app, it is used by whomever they let run that app. */
  | { readonly kind: 'PRIVATE' }
  /** Everybody's apps may have it: that is what the visibility says. */
  | { readonly kind: 'ALL_USERS' }
  /** An app's own, kept by administrators. */
  | { readonly kind: 'APP' }
  /** Undefined: no member. */
  | {
      readonly kind: 'WORKSPACE';
      readonly importerRole: WorkspaceRole | undefined;
      readonly userRole: WorkspaceRole | undefined;
    };

export interface Lending {
  readonly from: LentFrom;
  readonly importerIsAdmin: boolean;
  /** Whether the app still belongs to whoever imported it. */
  readonly isImporters: boolean;
}

/** `hidden`: as if there were no such secret. */
export type LendingDecision = 'yes' | 'hidden' | { readonly refused: string; readonly remedy: string };

const askForNewImport = 'Its owner imports a new version, with a secret that they may read.';

/** Whether the app may have it, as far as its importer decides. */
export function mayLend({ from, importerIsAdmin, isImporters }: Lending): LendingDecision {
  switch (from.kind) {
    case 'ALL_USERS':
      return 'yes';
    case 'APP':
      return importerIsAdmin ? 'yes' : 'hidden';
    case 'PRIVATE':
      // Or giving an app away would be a way to read what the next owner keeps under the same name, and to go on with one's own.
      return isImporters ? 'yes' : refusedAfterHandOver;
    case 'WORKSPACE': {
      if (from.importerRole === undefined) return 'hidden';
      if (!roleIsAtLeast(from.importerRole, 'editor'))
        return {
          refused: `Who imported the app is a ${from.importerRole} of the workspace and may not read its secrets, so the app may not either.`,
          remedy: 'Somebody who is at least an editor there imports it, or makes the importer one.',
        };
      return isImporters ? 'yes' : refusedAfterHandOver;
    }
  }
}

const refusedAfterHandOver = {
  refused: 'The app was handed over, and what its former owner had lent to it did not go with it.',
  remedy: askForNewImport,
};

/** Whether this person may run the app with it; for what may be lent. */
export function mayUse({ from }: Lending): LendingDecision {
  if (from.kind !== 'WORKSPACE' || from.userRole !== undefined) return 'yes';
  return {
    refused: 'Only members of its workspace may use it.',
    remedy: 'Ask somebody who looks after the workspace to make you a viewer.',
  };
}

/**
 * Who may do what with the secrets themselves (contracts/app-store.md §4): a PRIVATE one is its creator's; one for ALL_USERS and those of apps are
 * kept by administrators, and the latter nobody else knows of. Visitors have none.
 */
type Who = Pick<Principal, 'roles'>;

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly error: HaicError };

const isAdmin = (who: Who): boolean => who.roles.includes('admin');
export const hasFullAccess = (who: Who): boolean => who.roles.includes('user') || isAdmin(who);

/** That there are such secrets, with their names and keys. */
export function maySee(who: Who, visibility: SecretVisibility): Decision {
  if (!hasFullAccess(who))
    return refuse('Secrets need full access. Ask an administrator for the role "user".');
  return visibility === 'APP' && !isAdmin(who) ? refuse('Secrets of apps are for administrators only.') : yes;
}

/** Create, replace, delete and bring back; of a PRIVATE one it is one's own that is asked for. */
export function mayChange(who: Who, visibility: SecretVisibility): Decision {
  const seen = maySee(who, visibility);
  if (!seen.allowed || visibility === 'PRIVATE' || isAdmin(who)) return seen;
  return refuse('Secrets for all users are kept by administrators only. Keep a PRIVATE one of your own.');
}

/** The values. Everybody's apps may use what is for ALL_USERS; showing it is for those who keep it. */
export function mayReveal(who: Who, visibility: SecretVisibility): Decision {
  const seen = maySee(who, visibility);
  if (!seen.allowed || visibility === 'PRIVATE' || isAdmin(who)) return seen;
  return refuse('Values of secrets for all users are shown to administrators only. Your apps may use them.');
}

const yes: Decision = { allowed: true };
const refuse = (message: string): Decision => ({ allowed: false, error: forbidden('not_allowed', message) });
