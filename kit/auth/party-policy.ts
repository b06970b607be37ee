import { forbidden, type HaicError } from '../errors.ts';
import { type PartyKind, type Principal, wellKnownClients } from './principal.ts';

/** `router` and `operator`: of the platform's own services only that one. */
type Cell = 'yes' | 'no' | 'router' | 'operator';

const kinds = [
  'portal',
  'platform',
  'cli',
  'app',
  'service-account',
  'service',
] as const satisfies PartyKind[];

/**
 * Which kind of client may do what. Every route names its deed, and the server asks this table before anything of the request is looked at:
 * so a refusal tells nothing of what exists. What one person may do and another may not is each service's own `policy.ts`.
 *
 * - `platform` and `cli` are tokens of a person for scripts and the command line; they do what the person does, administration included.
 * - `app` is an app that acts for whoever opened it: it sees what they see in the store, and of instances only itself. It changes nothing
 *   there, administers nothing and learns nothing of sign-in.
 * - `service-account` is a machine with roles of its own. It may be granted what a person may. It has neither sessions nor a password.
 * - Replacing somebody's password and making the secret of a service account need a person at the portal: a token that leaked from a script
 *   must not take an account over. People are added by scripts too, since other systems provision them. A person's own sessions and tokens can
 *   be ended from scripts, so that a leak is answered at once.
 * - Secrets and accounts at other providers are what an app acts for its person on; those that app.toml names are given to it, and it keeps
 *   none. A machine has no browser to connect an account with.
 * - An app makes workspaces for its person and works in them; with whom they are shared, and their end, are not for an app to decide.
 * - Drive is what an app reads and writes for its person; a machine has a bucket of its own there.
 * - `service` is a part of the platform; each has its own few addresses, and none has apps, instances or an account.
 */
// biome-ignore format: columns
const table = {
  //                              portal platform cli    app   account service
  'see apps':                    ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'import apps':                 ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'change apps':                 ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'download apps':               ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'run apps':                    ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'see instances':               ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'change instances':            ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'read logs':                   ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'see who one is':              ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'see what is served':          ['yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
  'see workspaces':              ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'change workspaces':           ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'administer workspaces':       ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'administer the store':        ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'administer people':           ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'administer foreign resources': ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'see and end own sign-ins':    ['yes', 'yes', 'yes', 'no',  'no',  'no'],
  'make passwords and secrets':  ['yes', 'no',  'no',  'no',  'no',  'no'],
  'keep secrets for apps':       ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'use secrets':                 ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'connect accounts':            ['yes', 'yes', 'yes', 'yes', 'no',  'no'],
  'log in at other providers':   ['yes', 'no',  'no',  'no',  'no',  'no'],
  'administer OAuth clients':    ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'use Drive':                   ['yes', 'yes', 'yes', 'yes', 'yes', 'no'],
  'ask about access':            ['no',  'no',  'no',  'no',  'no',  'yes'],
  'search events':               ['yes', 'yes', 'yes', 'no',  'yes', 'no'],
  'record events':               ['no',  'no',  'no',  'no',  'no',  'yes'],
  'route':                       ['no',  'no',  'no',  'no',  'no',  'router'],
  'operate':                     ['no',  'no',  'no',  'no',  'no',  'operator'],
} as const satisfies Record<string, readonly [Cell, Cell, Cell, Cell, Cell, Cell]>;

/** What a route lets one do, as far as the kind of client decides. */
export type Deed = keyof typeof table;

type Party = Pick<Principal, 'party' | 'partyKind'>;

export const deeds = Object.keys(table) as readonly Deed[];

export function partyMay({ party, partyKind }: Party, deed: Deed): boolean {
  const cell: Cell = table[deed][kinds.indexOf(partyKind)] ?? 'no';
  if (cell === 'router' || cell === 'operator') return party === wellKnownClients[cell];
  return cell === 'yes';
}

export function enforceDeed(party: Party, deed: Deed): void {
  if (!partyMay(party, deed)) throw partyRefused(party.partyKind, deed);
}

export function partyRefused(kind: PartyKind, deed: Deed): HaicError {
  const only = table[deed][kinds.indexOf('service')];
  if (only === 'router') return forbidden('router_only', 'This is for the router of the platform only.');
  if (only === 'operator')
    return forbidden(
      'operator_only',
      'This is for the "haic" command on the machine where Haic runs. Administrators use the portal.',
    );
  if (only === 'yes') return forbidden('services_only', 'This is for the services of the platform only.');
  if (kind === 'app')
    return forbidden(
      'app_token_refused',
      `A token of an app cannot ${deed}. Do it in the portal or with the command line.`,
    );
  if (kind === 'service')
    return forbidden('service_token_refused', `This is for people: a part of the platform cannot ${deed}.`);
  if (kind === 'service-account' && deed === 'connect accounts')
    return forbidden(
      'service_account_refused',
      'A service account has no browser to log in with at another provider. People connect accounts of theirs.',
    );
  if (kind === 'service-account' && deed === 'see and end own sign-ins')
    return forbidden(
      'service_account_refused',
      'A service account has no sessions and no tokens of its own. Its secrets are changed in the portal, under Admin.',
    );
  return forbidden('portal_only', `To ${deed}, sign in at the portal; a token for scripts cannot.`);
}
