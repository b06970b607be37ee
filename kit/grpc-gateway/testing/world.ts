import type { CallAudit } from '../../audit/call-audit.ts';
import { type Principal, partyKindOf, wellKnownClients } from '../../auth/principal.ts';
import type { TokenVerifier } from '../../auth/verify-token.ts';
import { unauthenticated } from '../../errors.ts';
import type { RateLimiter } from '../../http/rate-limit.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { createLogger } from '../../logging.ts';
import { createGrpcServer, type GrpcServer } from '../grpc-server.ts';
import { type Mount, mountGateway } from '../mount.ts';
import { serve } from '../service.ts';
import { ShelfService } from './gen/haic/testing/shelf/v1/shelf_pb.js';
import { createShelf, type Shelf } from './shelf.ts';

export const prefix = '/shelf';
const logger = createLogger('test', 'silent');

const principal = (username: string, party: string): Principal => ({
  ...{ subject: username, username, name: undefined, email: undefined, roles: [], groups: [] },
  ...{ party, partyKind: partyKindOf(party) ?? 'platform', instanceId: undefined },
  ...{ expiresAt: 4_000_000_000, token: 'good' },
});

/** Two tokens are known here: `ada`, at the portal, and `app`, of an app. */
export const verifyToken: TokenVerifier = async (token) => {
  if (token === 'ada') return principal('ada', wellKnownClients.portal);
  if (token === 'app') return principal('ada', 'haic-app-1');
  throw unauthenticated('This access token is not valid here. Sign in again.');
};

export const authorization = 'Bearer ada';

type Choices = Parameters<typeof serve<typeof ShelfService>>[2];

export async function shelfOverHttp(
  choices: Choices = {},
  mount: Partial<Mount> = {},
  rateLimiter?: RateLimiter,
): Promise<{ server: HttpServer; shelf: Shelf }> {
  const shelf = createShelf();
  const server = createHttpServer({
    logger,
    verifyToken,
    ...(rateLimiter === undefined ? {} : { rateLimiter }),
  });
  const services = [serve(ShelfService, shelf, choices)];
  await mountGateway(server, { prefix, services, deed: 'see apps', logger, ...mount });
  return { server, shelf };
}

export async function shelfOverGrpc(
  choices: Choices = {},
  audit?: CallAudit,
  rateLimiter?: RateLimiter,
): Promise<{ server: GrpcServer; shelf: Shelf; port: number }> {
  const shelf = createShelf();
  const services = [serve(ShelfService, shelf, choices)];
  const server = createGrpcServer({
    mounts: [{ services, deed: 'see apps' }],
    listen: [{ host: '127.0.0.1', port: 0 }],
    ...{ verifyToken, logger },
    ...(audit === undefined ? {} : { audit }),
    ...(rateLimiter === undefined ? {} : { rateLimiter }),
  });
  return { server, shelf, port: await server.listen() };
}
