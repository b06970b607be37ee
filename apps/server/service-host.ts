import type { CallAudit } from '@haic/kit/audit/call-audit.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { createGrpcServer, type GrpcServer } from '@haic/kit/grpc-gateway/grpc-server.ts';
import { type Mount, mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import type { RateLimiter } from '@haic/kit/http/rate-limit.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { haicVersion } from '@haic/kit/version.ts';
import type { ServiceRecord } from '@haic/services/discovery/discovery.ts';
import type { ServiceAddress } from './service-addresses.ts';
import { grpcPort, listenedAddresses, type ServerSettings, tlsFiles } from './settings.ts';

/** What a service brings: its protobuf services with their implementations, and the deed that all of them are (`kit/auth/party-policy.ts`). */
export type HostedService = Pick<Mount, 'services' | 'deed' | 'bodyLimit'>;

/** Where protobuf-shaped services live: under a prefix of core's server and of the public URL, on the gRPC listener, in discovery. */
export interface ServiceHost {
  /** To be awaited before the server listens. */
  mount(address: ServiceAddress, service: HostedService): Promise<void>;
  /** Of what is mounted so far, for discovery. */
  records(): readonly ServiceRecord[];
  /** Opens the gRPC listener, for what is mounted by then. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createServiceHost(options: {
  readonly server: HttpServer;
  readonly verifyToken: TokenVerifier;
  readonly settings: ServerSettings;
  readonly audit: CallAudit;
  readonly rateLimiter: RateLimiter;
  readonly logger: Logger;
}): ServiceHost {
  const { server, verifyToken, settings, audit, rateLimiter, logger } = options;
  const mounts: HostedService[] = [];
  const records: ServiceRecord[] = [];
  let grpc: GrpcServer | undefined;
  return {
    mount: async ({ prefix, ...record }, service) => {
      await mountGateway(server, { prefix, logger, audit, ...service });
      registerVersionProbe(server, prefix);
      mounts.push(service);
      records.push({ ...record, uri: `${settings.publicUrl}${prefix}` });
    },
    records: () => records,
    listen: async () => {
      grpc = createGrpcServer({
        mounts,
        verifyToken,
        audit,
        rateLimiter,
        logger,
        listen: listenedAddresses(settings, grpcPort(settings)),
        ...tlsFiles(settings),
        tlsTerminatedUpstream: settings.tlsEndsInFront,
      });
      await grpc.listen();
    },
    close: async () => grpc?.close(),
  };
}

/** Clients that join addresses their own way look for it here, and not beside the prefix (`registerVersion` of discovery). */
function registerVersionProbe(server: HttpServer, prefix: string): void {
  const config = { public: 'version probe of client libraries' };
  server.get(`${prefix}/version`, { config, schema: { hide: true } }, async () => ({ version: haicVersion }));
}
