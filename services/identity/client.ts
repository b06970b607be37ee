import { callJson, type Fetch } from '@haic/kit/http/client.ts';

/** What other services may ask the identity service for. In memory inside core, over HTTP elsewhere. */
export interface IdentityClient {
  /** Idempotent: the same instance again gets a new secret, and the old one ends. */
  registerAppClient(app: {
    instanceId: string;
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
}

/**
 * What identity tells the scheduler when a person is disabled or removed, so that what they run stops. A function, because the scheduler
 * is composed after identity. What is lost with a crash is found by the scheduler's own look at `activeAmong`.
 */
export type WhenPersonEnds = (subject: string) => Promise<void>;

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

/** The same over HTTP, as the router asks core. */
export function createHttpAppGrantsClient(options: {
  baseUrl: string;
  fetch: Fetch;
  token: () => Promise<string>;
}): AppGrantsClient {
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
  };
}
