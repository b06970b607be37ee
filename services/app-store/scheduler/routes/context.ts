import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { Runtime, RuntimeCapabilities } from '@haic/platform/runtime/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { BelongingsService } from '../belongings.ts';
import type { Instances } from '../instances.ts';
import type { LauncherService } from '../launcher-service.ts';
import type { Instance } from '../model.ts';
import { type Environment, presentInstance } from '../present.ts';
import type { InstanceService } from '../service.ts';

export interface RouteContext {
  readonly service: InstanceService;
  readonly belongings: BelongingsService;
  readonly instances: Instances;
  readonly launcher: LauncherService;
  readonly runtime: Runtime;
  readonly identity: IdentityClient;
  readonly masterKey: Buffer;
  readonly environment: Environment;
  readonly isolationInfo: () => RuntimeCapabilities;
  /** Icon addresses by app id, for those that the catalog still has. */
  readonly iconsOf: (appIds: readonly string[]) => Promise<ReadonlyMap<string, string | null>>;
  readonly heartbeatMs: number;
  readonly routePingMs: number;
  readonly leaseCheckMs: number;
}

export const withTypes = (server: HttpServer) => server.withTypeProvider<TypeBoxTypeProvider>();
export type SchedulerServer = ReturnType<typeof withTypes>;

export async function answerWith(context: RouteContext, request: FastifyRequest, instance: Instance) {
  const icons = await context.iconsOf([instance.app.id]);
  return presentInstance(instance, {
    publicUrl: context.environment.publicUrl,
    actor: principalOf(request),
    icon: icons.get(instance.app.id) ?? null,
  });
}
