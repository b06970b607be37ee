/** Which kind of client presented the token. What a client of that kind may do at all is the table of `party-policy.ts`. */
export type PartyKind = 'portal' | 'platform' | 'cli' | 'app' | 'service-account' | 'service';

/** The authorised parties that Haic itself registers. An app instance's client is `haic-app-<instance id>`. */
export const wellKnownClients = {
  portal: 'haic-portal',
  platform: 'haic-platform',
  cli: 'haic-cli',
  router: 'haic-service-router',
  operator: 'haic-service-operator',
  core: 'haic-service-core',
  drive: 'haic-service-drive',
} as const;

export const appClientPrefix = 'haic-app-';
/** Accounts of machines that are no part of the platform: pipelines, other systems. `haic-sa-<name>`. */
export const serviceAccountClientPrefix = 'haic-sa-';
const serviceClientPrefix = 'haic-service-';

/** Who asks, as a verified access token says. */
export interface Principal {
  readonly subject: string;
  /** `preferred_username`; a service's own token has its client id here. */
  readonly username: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** `azp`, else `client_id`. */
  readonly party: string;
  readonly partyKind: PartyKind;
  /** The instance an app's client belongs to; undefined for every other kind. */
  readonly instanceId: string | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** The token itself, to forward when acting for the person. Never logged. */
  readonly token: string;
}

export function partyKindOf(party: string): PartyKind | undefined {
  if (party === wellKnownClients.portal) return 'portal';
  if (party === wellKnownClients.platform) return 'platform';
  if (party === wellKnownClients.cli) return 'cli';
  if (party.startsWith(appClientPrefix)) return 'app';
  if (party.startsWith(serviceAccountClientPrefix)) return 'service-account';
  if (party.startsWith(serviceClientPrefix)) return 'service';
  return undefined;
}

export const instanceOfParty = (party: string): string | undefined =>
  party.startsWith(appClientPrefix) ? party.slice(appClientPrefix.length) : undefined;
