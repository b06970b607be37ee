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
