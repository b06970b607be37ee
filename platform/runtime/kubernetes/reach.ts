import { connect } from 'node:net';
import { sleep } from '@haic/kit/deadline.ts';
import type { Endpoint } from '../port.ts';

/**
 * Whether a pod that is ready is reached by its Service's address already: the nodes learn of it a moment (of a second, by default) after
 * the pod is ready, and refuse connections until then.
 */
export interface Reach {
  /** Looks at it until it is so, then tells; a pod is looked at once, and not at all when it has been ready (ISO 8601) for long. */
  has(pod: string, workload: string, endpoint: Endpoint, readySince: string | undefined): boolean;
  /** Forgets pods of the workload. */
  forget(workload: string): void;
}

/** Who cannot reach it in this time never will (a policy is between us, perhaps): whether it serves is then not ours to say. */
const patienceMs = 5_000;
const everyMs = 50;
/** Every node knows by then, whatever its clock: who starts among thousands that are ready asks none of them. */
const settledMs = 60_000;

export function createReach(tell: (workload: string) => void, signal: AbortSignal): Reach {
  const looked = new Map<string, { readonly pod: string; isReached: boolean }>();
  return {
    has(pod, workload, endpoint, readySince) {
      if (readySince !== undefined && Date.now() - Date.parse(readySince) > settledMs) return true;
      const known = looked.get(workload);
      if (known?.pod === pod) return known.isReached;
      const look = { pod, isReached: false };
      looked.set(workload, look);
      void untilReached(endpoint, () => looked.get(workload) !== look, signal).then(() => {
        look.isReached = true;
        if (looked.get(workload) === look) tell(workload);
      });
      return false;
    },
    forget: (workload) => void looked.delete(workload),
  };
}

async function untilReached(endpoint: Endpoint, isOver: () => boolean, signal: AbortSignal): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!signal.aborted && !isOver() && performance.now() < end) {
    if (await accepts(endpoint)) return;
    await sleep(everyMs, signal).catch(() => {});
  }
}

const accepts = ({ host, port }: Endpoint): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const answer = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
    socket.once('timeout', answer(false));
  });
