import type { PartyKind } from '@haic/kit/auth/principal.ts';
import { callJson, type Fetch } from '@haic/kit/http/client.ts';

/** What other services may ask the identity service for. In memory inside core, over HTTP elsewhere. */
export interface IdentityClient {
  /** Idempotent: the same instance again gets a new secret, and the old one ends. */
  registerAppClient(app: {
    instanceId: string;
    /** What the instance is one of. */
    appId: string;
    redirectUri: string;
    postLogoutRedirectUri: string;
    name: string;
  }): Promise<{ clientId: string; clientSecret: string }>;
  /** Ends the client, its secret and all of its refresh tokens. */
  removeAppClient(instanceId: string): Promise<void>;
  /** Instance ids; the scheduler sweeps what no longer runs. */
  listAppClients(): Promise<readonly string[]>;
  /**
   * A short access token with azp haic-app-<id>, acting for the person (the launcher's token endpoint, design §6).
   * Throws `person_unavailable` (403) when the person is disabled or gone, `not_found` when the instance has no client.
   */
  mintAppToken(options: {
    instanceId: string;
    subject: string;
  }): Promise<{ accessToken: string; expiresIn: number }>;
  findPerson(subject: string): Promise<IdentityPerson | undefined>;
  /** By user name, without regard to case. */
  findPersonByName(username: string): Promise<IdentityPerson | undefined>;
  /**
   * Those of the subjects who may sign in; one question for any number. What the others run is stopped, so whoever is not known to be
   * disabled or gone (an organisation's own issuer may not say) is among them.
   */
  activeAmong(subjects: readonly string[]): Promise<readonly string[]>;
  /** What is known of one of them: for whoever must not take `unknown` for either. */
  standingOf(subject: string): Promise<PersonStanding>;
}

/** Whether somebody may sign in; `ended` is who is disabled or gone. Haic's own issuer always knows. */
export type PersonStanding = 'active' | 'ended' | 'unknown';

/**
 * What identity tells others when a person is disabled or removed: the scheduler, so that what they run stops, the secure store, and Drive. A function,
 * because they are composed after identity. What is lost with a crash, each of them finds by a look of its own. Who is removed has no name any
 * more that others could ask for, so it is told where it is known.
 */
export type WhenPersonEnds = (subject: string, username?: string) => Promise<void>;

/** A stretch of a list that is sorted by name, without regard to case in what is looked for. */
export interface DirectoryFilter<Place> {
  /** Part of a name; '' for all. */
  readonly text: string;
  /** Behind which it begins; undefined for the start. */
  readonly after: Place | undefined;
  readonly limit: number;
}

/**
 * Whom one can share with: people and service accounts by the subject of their tokens, and groups. With an issuer of the organisation those whom
 * it vouched for here once, and the groups that their tokens named.
 */
export interface PeopleDirectory {
  /** Those of the subjects that are known. */
  findPeople(subjects: readonly string[]): Promise<readonly IdentityPerson[]>;
  /** By user name, then by subject: of a user name that was used again there are two. */
  listPeople(
    filter: DirectoryFilter<{ readonly username: string; readonly subject: string }>,
  ): Promise<readonly IdentityPerson[]>;
  listGroups(filter: DirectoryFilter<string>): Promise<readonly string[]>;
  hasGroup(name: string): Promise<boolean>;
  /**
   * Those of the subjects who are disabled or removed, so that somebody else may take over. Where an issuer of the organisation does not say so,
   * it is who has not been seen for thirty days.
   */
  goneAmong(subjects: readonly string[]): Promise<readonly string[]>;
}

export interface IdentityPerson {
  readonly subject: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
}

/** What the issuer sends the browser back with, and what this browser was given before (RFC 9700 §2.1.1). */
export interface GrantCallback {
  /** The whole address that the issuer sent the browser to. */
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/**
 * Where people sign in at an issuer of their organisation, Haic cannot mint tokens for an app: its owner grants them, by the browser, as
 * the router sees to. Haic's own issuer needs none of this.
 */
export interface AppGrantsClient {
  /** The app's client to ask the issuer for, or undefined when the person's grant is there or the instance has no client. */
  grantNeeded(app: { instanceId: string; subject: string }): Promise<{ clientId: string } | undefined>;
  /** Redeems the code. Throws `another_person` (403) when somebody else than `subject` granted it. */
  keepGrant(grant: { instanceId: string; subject: string; callback: GrantCallback }): Promise<void>;
}

/** What the router asks about who is signed in at an issuer of the organisation. */
export type PeopleStandingClient = Pick<IdentityClient, 'activeAmong'>;

/** By whom and through what somebody acts, as their token said. */
export interface ActingParty {
  readonly subject: string;
  readonly partyKind: PartyKind;
  readonly party: string;
  /** Of an app. */
  readonly instanceId: string | undefined;
  /** `sid`: the sign-in that the token came of, if any. */
  readonly signIn: string | undefined;
}

/** What a service asks that gave out something which outlives the token that it was given for. */
export interface SignInStandingClient {
  /**
   * Whether the account is active, the sign-in open and the app's instance there. An issuer of the organisation does not say which sign-ins are
   * open: there an account that is active is enough.
   */
  mayStillAct(acting: ActingParty): Promise<boolean>;
}

export function createHttpSignInStandingClient(options: {
  baseUrl: string;
  fetch: Fetch;
  token: () => Promise<string>;
}): SignInStandingClient {
  return {
    mayStillAct: async ({ subject, partyKind, party, instanceId, signIn }) => {
      const answer = await callJson<{ may: boolean }>(
        options.fetch,
        `${options.baseUrl}/internal/identity/may-still-act`,
        {
          method: 'POST',
          token: await options.token(),
          json: { subject, partyKind, party, instanceId, signIn },
          signal: AbortSignal.timeout(10_000),
        },
      );
      return answer.may;
    },
  };
}

/** So many people in one question over HTTP. */
export const mostAskedAbout = 1000;

/** Both over HTTP, as the router asks core. */
export function createHttpExternalIdentityClient(options: {
  baseUrl: string;
  fetch: Fetch;
  token: () => Promise<string>;
}): AppGrantsClient & PeopleStandingClient {
  const call = async <T>(path: string, json: unknown) =>
    callJson<T>(options.fetch, `${options.baseUrl}${path}`, {
      method: 'POST',
      token: await options.token(),
      json,
      signal: AbortSignal.timeout(15_000),
    });
  return {
    grantNeeded: async ({ instanceId, subject }) => {
      const { clientId } = await call<{ clientId?: string }>(
        `/internal/identity/app-grants/${instanceId}/needed`,
        { subject },
      );
      return clientId === undefined ? undefined : { clientId };
    },
    keepGrant: ({ instanceId, subject, callback }) =>
      call(`/internal/identity/app-grants/${instanceId}`, { subject, callback }),
    activeAmong: async (subjects) =>
      (await call<{ active: readonly string[] }>('/internal/identity/active-among', { subjects })).active,
  };
}
