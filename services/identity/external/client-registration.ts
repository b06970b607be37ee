/** A client of an app instance, as the issuer is asked for it. */
export interface ClientRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUri: string;
}

/**
 * How clients of app instances come to be at an issuer that is not Haic's own. OpenID Connect has a protocol for it (RFC 7591), but
 * there the issuer chooses the client's id, and Haic's services know an app's tokens by the id of its client.
 */
export interface ClientRegistration {
  /** Returns the registration's own token: only its holder may remove the client again (RFC 7592). */
  register(client: ClientRequest): Promise<{ registrationToken: string }>;
  /** A client that is gone already counts as removed. */
  remove(clientId: string, registrationToken: string): Promise<void>;
}
