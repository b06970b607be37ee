import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { identityOf, instanceSelector } from './model.ts';
import type { Starting } from './starting.ts';

/**
 * Ends the clients of instances that are gone: removed by hand, or while the platform was killed between two steps. Clients are read
 * first, so that an instance that starts meanwhile is never taken for one that is gone.
 */
export async function sweepClients(options: {
  runtime: Runtime;
  identity: IdentityClient;
  starting: Starting;
  logger: Logger;
}): Promise<void> {
  const clients = (await options.identity.listAppClients()).filter((id) => !options.starting.has(id));
  if (clients.length === 0) return;
  const present = new Set((await options.runtime.list(instanceSelector)).map((w) => identityOf(w)?.id));
  for (const id of clients) {
    if (present.has(id)) continue;
    options.logger.info(`Instance ${id} is gone; its sign-in client is removed.`);
    await options.identity.removeAppClient(id);
  }
}
