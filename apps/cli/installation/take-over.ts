import { deadline, until } from '@haic/kit/deadline.ts';
import { isAlive, signalProcess } from '@haic/kit/process-identity.ts';
import type { Installation } from '@haic/server/installation.ts';
import { type ListenerAddress, listens, roleHealth } from './health.ts';
import { liveProcess, type Role, roles, stopProcess } from './processes.ts';

interface TakeOver {
  readonly installation: Installation;
  readonly listener: ListenerAddress;
  readonly start: (role: Role) => Promise<void>;
  /** The supervisor is to end. */
  readonly stopped: () => boolean;
  readonly onEvent: (line: string) => void;
}

/** What people use comes last, when everything that it leads to is there again. */
const order: readonly Role[] = [...roles].reverse();

/**
 * Starts the roles. Those of another build that still run are replaced one after the other (docs/adr/0007): while core is away the old
 * router goes on carrying apps, and the router itself is away for as long as a process takes to start. A build that does not become
 * healthy replaces no more than it has.
 */
export async function startOrTakeOver(options: TakeOver): Promise<void> {
  const { run } = options.installation;
  const old = await Promise.all(order.map((role) => liveProcess(run, role)));
  if (old.every((identity) => identity === undefined)) {
    await Promise.all(order.map(options.start));
    return;
  }
  for (const role of order) {
    if (options.stopped()) return;
    await makeRoom(role, options);
    await options.start(role);
    try {
      await untilHealthy(role, options);
    } catch {
      options.onEvent(`${role} of the new build does not become healthy; the rest stays as it is.`);
      return;
    }
  }
}

/** Core has the runtime to itself, so its end is waited for. A listener is free sooner: what is under way there may end in peace. */
async function makeRoom(role: Role, { installation, listener }: TakeOver): Promise<void> {
  if (role === 'core') {
    await stopProcess(installation.run, role);
    return;
  }
  const old = await liveProcess(installation.run, role);
  if (old === undefined) return;
  await signalProcess(old, 'SIGTERM');
  const free = async () => (!(await isAlive(old)) || !(await listens(role, listener)) ? true : undefined);
  await until(free, { everyMs: 10, signal: deadline(25_000) });
}

const untilHealthy = (role: Role, { installation, listener, stopped }: TakeOver): Promise<boolean> =>
  until(async () => stopped() || (await roleHealth(role, installation, listener)).healthy || undefined, {
    everyMs: 50,
    signal: deadline(60_000),
  });
