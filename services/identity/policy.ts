import type { Person, PersonChanges } from './model.ts';

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: string; readonly reason: string };

const yes: Decision = { allowed: true };
const no = (code: string, reason: string): Decision => ({ allowed: false, code, reason });

const adminRole = 'admin';
export const isAdministrator = (person: Pick<Person, 'roles' | 'disabled'>): boolean =>
  !person.disabled && person.roles.includes(adminRole);

/**
 * People, and everybody's tokens. `person` is the actor as the database knows them now: who lost the role, or was disabled, has lost it
 * at once and not when the token ends.
 */
export const mayAdministerPeople = (person: Person | undefined): Decision =>
  administratorsOnly(person, 'Only administrators may see and change people.');

export const mayAdministerForeignResources = (person: Person | undefined): Decision =>
  administratorsOnly(
    person,
    'Only administrators may see and change which foreign resources tokens are exchanged for.',
  );

function administratorsOnly(person: Person | undefined, reason: string): Decision {
  const known = mayManageOwnTokens(person);
  if (!known.allowed) return known;
  return person !== undefined && isAdministrator(person) ? yes : no('administrators_only', reason);
}

export const mayManageOwnTokens = (person: Person | undefined): Decision =>
  person === undefined || person.disabled
    ? no('person_unavailable', 'This account is disabled or gone.')
    : yes;

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
