import type { Logger } from '@haic/kit/logging.ts';
import type { Catalog } from '@haic/services/app-store/catalog/catalog.ts';

const dayMs = 24 * 60 * 60 * 1000;

export interface RegularWork {
  stop(): void;
}

/** Collects what nobody needs any more, and what a killed import or deletion left behind: at the start and once a day. */
export function sweepDaily(
  sweepers: Readonly<Record<string, { sweep(): Promise<unknown> }>>,
  logger: Logger,
): RegularWork {
  const sweep = () => {
    for (const [what, sweeper] of Object.entries(sweepers))
      sweeper
        .sweep()
        .catch((error: unknown) =>
          logger.warn({ err: error }, `What is left of ${what} could not be swept.`),
        );
  };
  sweep();
  const timer = setInterval(sweep, dayMs);
  return { stop: () => clearInterval(timer) };
}

/** Whether apps can still run, at the start and then regularly; never again with 0 minutes. */
export function checkRegularly(
  catalog: Pick<Catalog, 'checkPreconditions'>,
  minutes: number,
  logger: Logger,
): RegularWork {
  const stopping = new AbortController();
  const check = () => {
    catalog.checkPreconditions(stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) logger.warn({ err: error }, 'Apps could not be checked.');
    });
  };
  check();
  const timer = minutes === 0 ? undefined : setInterval(check, minutes * 60_000);
  return {
    stop: () => {
      clearInterval(timer);
      stopping.abort(new Error('Haic is stopping.'));
    },
  };
}
