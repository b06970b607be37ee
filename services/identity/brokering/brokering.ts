import type { Fetch } from '@haic/kit/http/client.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { ArtifactStore } from '../artifacts.ts';
import type { InteractionParts } from '../routes/interaction.ts';
import type { CheckPassword } from '../sign-in.ts';
import type { SignInTrail } from '../sign-in-trail.ts';
import type { PeopleStore } from '../store.ts';
import { createArrivals } from './arrivals.ts';
import { createJourneys } from './journeys.ts';
import type { UpstreamProvider } from './provider-settings.ts';
import { registerArrival } from './routes/arrival.ts';
import { registerBegin } from './routes/begin.ts';
import { registerEndpoint } from './routes/endpoint.ts';
import { registerSignedOut } from './routes/signed-out.ts';
import { createUpstreamSignOut, type UpstreamSignOut } from './sign-out.ts';
import { createLinkStore } from './store.ts';
import { createUpstream } from './upstream.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

export interface Brokering {
  /** Onto the scope of the issuer's pages. */
  register(scope: HttpServer): void;
  readonly signOut: UpstreamSignOut;
}

/** Signing in at other OpenID providers, of which Haic's own issuer is a client. */
export function createBrokering(
  options: InteractionParts & {
    providers: readonly UpstreamProvider[];
    database: Database;
    people: PeopleStore;
    artifacts: ArtifactStore;
    upstreamSessions: UpstreamSessions;
    checkPassword: CheckPassword;
    trail: SignInTrail;
    sealingKey: Buffer;
    fetch: Fetch;
    logger: Logger;
    now: () => Date;
  },
): Brokering {
  const { publicUrl, issuerPath, people, sealingKey, logger } = options;
  const endpointOf = (alias: string) => `${publicUrl}${issuerPath}/broker/${alias}/endpoint`;
  const upstreams = new Map(
    options.providers.map((provider) => {
      const redirectUri = endpointOf(provider.alias);
      return [
        provider.alias,
        createUpstream({ provider, redirectUri, fetch: options.fetch, now: options.now }),
      ];
    }),
  );
  const upstreamSignOut = createUpstreamSignOut({
    upstreams,
    sessions: options.upstreamSessions,
    returnUrlOf: (alias) => `${endpointOf(alias)}/logout_response`,
    sealingKey,
    logger,
  });
  const links = createLinkStore(options.database, people);
  const parts = {
    publicUrl,
    issuerPath,
    issuer: options.issuer,
    sessions: options.sessions,
    checkPassword: options.checkPassword,
    trail: options.trail,
    upstreams,
    upstreamSignOut,
    journeys: createJourneys({ artifacts: options.artifacts, sealingKey, publicUrl, issuerPath }),
    arrivals: createArrivals({ links, people, sessions: options.sessions, logger }),
  };
  return {
    signOut: upstreamSignOut,
    register: (scope) => {
      registerBegin(scope, parts);
      registerEndpoint(scope, parts);
      registerArrival(scope, parts);
      registerSignedOut(scope, parts);
    },
  };
}
