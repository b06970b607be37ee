import { type Principal, wellKnownClients } from '@haic/kit/auth/principal.ts';

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * People and their tokens are administered by who owns the machine, through the operator's own client. Nobody's personal token may,
 * whatever its roles: an administrator's token in an app must not be able to make accounts (design §6).
 */
export function mayAdministerPeople(actor: Principal): Decision {
  if (actor.party === wellKnownClients.operator && actor.partyKind === 'service') return { allowed: true };
  return {
    allowed: false,
    reason: 'People are administered with the "haic user" command on the machine where Haic runs.',
  };
}
