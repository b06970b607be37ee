import { type Principal, wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { Person, PersonChanges } from './model.ts';

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: string; readonly reason: string };

type Party = Pick<Principal, 'party' | 'partyKind'>;

const yes: Decision = { allowed: true };
const no = (code: string, reason: string): Decision => ({ allowed: false, code, reason });

const adminRole = 'admin';
export const isAdministrator = (person: Pick<Person, 'roles' | 'disabled'>): boolean =>
  !person.disabled && person.roles.includes(adminRole);

/** The operator's routes: what the owner of the machine does with "haic user". Nobody's personal token may, whatever its roles. */
export function mayOperate(actor: Party): Decision {
  if (actor.party === wellKnownClients.operator && actor.partyKind === 'service') return yes;
  return no(
    'operator_only',
    'This is for the "haic user" command on the machine where Haic runs. Administrators use the portal.',
  );
}

/**
 * People, and everybody's tokens. `person` is the actor as the database knows them now: who lost the role, or was disabled, has lost it
 * at once and not when the token ends. An app that an administrator opened must not make accounts (design §6).
 */
export function mayAdministerPeople(actor: Party, person: Person | undefined): Decision {
  const asPerson = mayManageOwnTokens(actor, person);
  if (!asPerson.allowed) return asPerson;
  return person !== undefined && isAdministrator(person)
    ? yes
    : no('administrators_only', 'Only administrators may see and change people.');
}

export function mayManageOwnTokens(actor: Party, person: Person | undefined): Decision {
  if (actor.partyKind === 'app')
    return no('app_token_refused', 'An app cannot do this with the token that you gave it. Use the portal.');
  if (actor.partyKind === 'service')
    return no('service_token_refused', 'This is for people. A service has no account.');
  if (person === undefined || person.disabled)
    return no('person_unavailable', 'This account is disabled or gone.');
  return yes;
}

export type Deed =
  | { kind: 'change'; changes: PersonChanges }
  | { kind: 'remove' }
  | { kind: 'resetPassword' };

/** What would shut administrators out of their own account by a slip of the hand. */
export function mayDoTo(by: Person, target: Person, deed: Deed): Decision {
  if (by.id !== target.id) return yes;
  const another = 'Ask another administrator to do it.';
  switch (deed.kind) {
    case 'remove':
      return no('own_account', `You cannot remove yourself. ${another}`);
    case 'resetPassword':
      return no(
        'own_account',
        'A reset would sign you out before you read the new password. Use "Change password" of your account menu.',
      );
    case 'change':
      if (deed.changes.disabled === true) return no('own_account', `You cannot disable yourself. ${another}`);
      if (deed.changes.roles !== undefined && !deed.changes.roles.includes(adminRole))
        return no('own_account', `You cannot take the administrator's role from yourself. ${another}`);
      return yes;
  }
}
