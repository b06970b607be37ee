import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

export interface RouterOptions {
  /** The origin of portal, API and issuer, without a trailing slash. Instances are at `<instance id>.<its host>`. */
  readonly publicUrl: string;
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  /** PEM files; read again when they change. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** Something in front ends TLS and sets X-Forwarded-For: then a plain listener may be on any address. */
  readonly tlsTerminatedUpstream?: boolean;
  readonly core: { readonly socketPath: string };
  /** The schema `router` must be up to date: `migrate(database, routerMigrations)`. */
  readonly database: Database;
  readonly masterKey: Buffer;
  /** Issuer URL. Below the public URL it is core's own and dialled over core's socket. */
  readonly issuer: string;
  /** Confidential; redirect URI `<public>/oauth2/callback`. */
  readonly portalClient: ClientCredentials;
  /** `haic-service-router`: the router's own work, i.e. watching the routes. */
  readonly serviceClient: ClientCredentials;
  readonly verifyToken: TokenVerifier;
  /** How to reach an issuer that is not core's; the ordinary fetch by default. */
  readonly issuerFetch?: Fetch;
  readonly logger: Logger;
  readonly limits?: Partial<SessionLimits>;
}

export interface SessionLimits {
  /** A session that is not used for so long ends. */
  readonly idleMs: number;
  /** However much it is used, after so long it ends. */
  readonly absoluteMs: number;
}

export const defaultLimits: SessionLimits = {
  idleMs: 12 * 60 * 60 * 1000,
  absoluteMs: 7 * 24 * 60 * 60 * 1000,
};
