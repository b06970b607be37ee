/** Who signed in, as the newest access token of the session says. */
export interface Person {
  readonly subject: string;
  readonly username: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

/** Held by the portal's session only; an app's host never has them. */
export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** A hint for the issuer at sign-out. */
  readonly idToken: string | undefined;
}

/** Times are milliseconds since the epoch. */
export interface PortalSession {
  readonly kind: 'portal';
  /** Hash of the cookie. */
  readonly id: string;
  readonly issuerSid: string | undefined;
  readonly expiresAt: number;
  person: Person;
  tokens: SessionTokens;
  accessExpiresAt: number;
  seenAt: number;
}

export interface AppSession {
  readonly kind: 'app';
  readonly id: string;
  readonly instanceId: string;
  readonly portal: PortalSession;
}

export type Session = PortalSession | AppSession;

/** Which host a session cookie is for: the portal's, or that of one instance. */
export type SessionScope = 'portal' | { readonly instanceId: string };
