import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { Exposure } from '@haic/kit/http/listening.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Target } from '@haic/kit/proxy/client/pool.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { Tracer } from '@haic/kit/telemetry/tracer.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

export interface RouterOptions extends Exposure {
  /** The origin of portal, API and issuer, without a trailing slash. Instances are at `<instance id>.<its host>`. */
  readonly publicUrl: string;
  readonly core: Target;
  /** Where core serves APIs for programs, such as `/secure-store`: the portal's pages reach them by a door of their own. None by default. */
  readonly servicePrefixes?: readonly string[];
  /** Origin of Drive, whose bytes the portal's page gets and brings itself. None by default. */
  readonly objectsOrigin?: string;
  /** The schema `router` must be up to date: `migrate(database, routerMigrations)`. */
  readonly database: Database;
  readonly masterKey: Buffer;
  /** Issuer URL. Below the public URL it is core's own and dialled where core is. */
  readonly issuer: string;
  /** Confidential; redirect URI `<public>/oauth2/callback`. */
  readonly portalClient: ClientCredentials;
  /** `haic-service-router`: the router's own work, i.e. watching the routes. */
  readonly serviceClient: ClientCredentials;
  readonly verifyToken: TokenVerifier;
  /** How to reach an issuer that is not core's; the ordinary fetch by default. */
  readonly issuerFetch?: Fetch;
  /** Without one, nothing is recorded of who was refused and of tokens that were made. */
  readonly audit?: AuditWriter;
  readonly logger: Logger;
  /** Without one, nothing is measured. */
  readonly meter?: Meter | undefined;
  /** Without one, nothing is traced. */
  readonly tracer?: Tracer | undefined;
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
