import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { identityOf, instanceSelector } from './model.ts';
import type { Starting } from './starting/port.ts';

/**
 * Ends the clients of instances that are gone: removed by hand, or while the platform was killed between two steps. Clients are read
 * first, so that an instance that starts meanwhile is never taken for one that is gone. One that has lost touch with
 * the runtime does not see what others have started: there an instance has to be missing for as long as a start takes.
 */
export function createClientSweep(options: {
  runtime: Runtime;
  identity: IdentityClient;
  starting: Starting;
  /** How long an instance has to be missing, in milliseconds; 0 where nobody else starts any. */
  goneForMs: number;
  now: () => number;
  logger: Logger;
}): () => Promise<void> {
  const { runtime, identity, starting, goneForMs, now, logger } = options;
  let missingSince: ReadonlyMap<string, number> = new Map();
  return async () => {
    const registered = await identity.listAppClients();
    const begun = registered.length === 0 ? new Set() : await starting.ids();
    const clients = registered.filter((id) => !begun.has(id));
    const workloads = clients.length === 0 ? [] : await runtime.list(instanceSelector);
    const present = new Set(workloads.map((workload) => identityOf(workload)?.id));
    const missing = clients.filter((id) => !present.has(id));
    missingSince = new Map(missing.map((id) => [id, missingSince.get(id) ?? now()]));
    for (const [id, since] of missingSince) {
      if (now() - since < goneForMs) continue;
      logger.info(`Instance ${id} is gone; its sign-in client is removed.`);
      await identity.removeAppClient(id);
    }
  };
}
