import { partyMay } from '@haic/kit/auth/party-policy.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, type HaicError } from '@haic/kit/errors.ts';
import type { App, AppAccess, Visibility } from './client.ts';

/**
 * Who may do what with apps (contracts/app-store.md §4). Pure: the principal and the app decide, nothing else. Which kind of
 * client may, the server has asked `kit/auth/party-policy.ts`; here it decides what is shown as possible. Visitors see apps by tags; while no app has authorization tags, they see none.
 */
type Who = Pick<Principal, 'subject' | 'roles' | 'party' | 'partyKind'>;
type What = Pick<App, 'owner' | 'visibility' | 'precondition'> & {
  manifest: Pick<App['manifest'], 'lifecycle'>;
};

/** Who may download bundles: everyone who sees the app, only who manages it, or nobody. */
export type DownloadRule = 'everyone' | 'managers' | 'nobody';

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly error: HaicError };

export const isAdmin = (who: Who): boolean => who.roles.includes('admin');
export const hasFullAccess = (who: Who): boolean => who.roles.includes('user') || isAdmin(who);

const isOwner = (who: Who, app: Pick<App, 'owner'>): boolean => who.subject === app.owner.subject;
const isShared = (visibility: Visibility): boolean => visibility === 'ALL_USERS' || visibility === 'PUBLIC';

export function canSee(who: Who, app: What): boolean {
  if (!hasFullAccess(who)) return false;
  // Administration is the person's, not what an app may use through the person's token.
  return (
    isOwner(who, app) || isShared(app.visibility) || (isAdmin(who) && partyMay(who, 'administer the store'))
  );
}

export function canManage(who: Who, app: What): boolean {
  return partyMay(who, 'change apps') && hasFullAccess(who) && (isOwner(who, app) || isAdmin(who));
}

/** Empty when they may. An administrator may not run another's PRIVATE app: nobody acts for somebody else. */
export function cannotRunBecause(who: Who, app: What): string {
  if (!canSee(who, app)) return 'You may not see this app.';
  if (!partyMay(who, 'run apps')) return 'An app does not start other apps.';
  if (app.manifest.lifecycle === 'LINK') return 'This app is a link; there is nothing to run.';
  const because = mayNotRunBecause(who, app);
  return because === '' ? cannotRunHereBecause(app) : because;
}

function mayNotRunBecause(who: Who, app: What): string {
  if (isOwner(who, app)) return '';
  if (app.visibility === 'PRIVATE') return 'Only its owner runs a PRIVATE app.';
  if (app.manifest.lifecycle === 'MANAGED' && !isAdmin(who))
    return 'This app is managed: its owner runs it for everyone.';
  return '';
}

/** What it needs and this installation does not have; those who may not run it anyway need not know. */
function cannotRunHereBecause({ precondition }: What): string {
  if (precondition.status === 'PASSED') return '';
  const reasons = precondition.problems.filter(({ blocks }) => blocks).map(({ message }) => message);
  return `This app cannot run here just now. ${reasons.join(' ')}`;
}

export function accessOf(who: Who, app: What): AppAccess {
  const because = cannotRunBecause(who, app);
  return {
    canSee: canSee(who, app),
    canRun: because === '',
    cannotRunBecause: because,
    canManage: canManage(who, app),
  };
}

export function mayImport(who: Who): Decision {
  if (!hasFullAccess(who))
    return refuse('Importing apps needs full access. Ask an administrator for the role "user".');
  return { allowed: true };
}

/** What the installation offers is no secret among those who may import. */
export const mayAsk = (who: Who): Decision =>
  hasFullAccess(who) ? { allowed: true } : refuse('This is for people with full access.');

export function mayCheckAll(who: Who): Decision {
  if (isAdmin(who)) return { allowed: true };
  return refuse('Only administrators have all apps checked. Check one of your own instead.');
}

/** For those who see the app already. */
export function mayManage(who: Who, app: What): Decision {
  if (!canManage(who, app)) return refuse('Only its owner or an administrator may change this app.');
  return { allowed: true };
}

/** Whom an app may be given to: whoever could have imported it. */
export const mayOwn = (person: { readonly roles: readonly string[]; readonly disabled: boolean }): boolean =>
  !person.disabled && (person.roles.includes('user') || person.roles.includes('admin'));

/** For those who see the app already. A bundle holds all that its author wrote into it, so no app gets it through a person's token. */
export function mayDownload(who: Who, app: What, rule: DownloadRule): Decision {
  if (!partyMay(who, 'download apps')) return refuse('An app does not download other apps.');
  if (rule === 'nobody')
    return {
      allowed: false,
      error: forbidden('downloads_disabled', 'Downloading apps is switched off in this installation.'),
    };
  if (rule === 'managers' && !canManage(who, app))
    return refuse('Only its owner or an administrator may download this app.');
  return canSee(who, app) ? { allowed: true } : refuse('You may not see this app.');
}

const refuse = (message: string): Decision => ({ allowed: false, error: forbidden('not_allowed', message) });
