import { sleep, until } from '@haic/kit/deadline.ts';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { EnvironmentsClient } from '@haic/services/environments/client.ts';
import { installerName } from './installer.ts';

export interface InstallerWatchdog {
  stop(): void;
}

/**
 * Starts the installer again when it lives and does not answer: no app can start without it, and the runtime sees only whether its
 * process lives. Each restart in a row is given twice the patience, so that a machine under heavy load is not made slower still.
 */
export function watchInstaller(options: {
  runtime: Runtime;
  installer: Pick<EnvironmentsClient, 'health'>;
  logger: Logger;
  everyMs?: number;
  /** So long it may be silent; its start takes seconds. */
  patienceMs?: number;
}): InstallerWatchdog {
  const { runtime, installer, logger, everyMs = 10_000, patienceMs = 60_000 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function watch(): Promise<void> {
    let patience = patienceMs;
    let heardAt = Date.now();
    while (!signal.aborted) {
      const silence = await whySilent(installer, everyMs, signal);
      if (silence === undefined) {
        heardAt = Date.now();
        patience = patienceMs;
      } else if (Date.now() - heardAt >= patience) {
        logger.warn({ reason: silence }, 'The installer does not answer and is started again.');
        await restart(runtime, signal);
        patience = Math.min(patience * 2, patienceMs * 10);
        heardAt = Date.now();
      }
      await sleep(everyMs, signal);
    }
  }

  const goOn = async (): Promise<void> => {
    while (!signal.aborted) {
      await watch().catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, 'The installer could not be looked after.');
      });
      await sleep(everyMs, signal).catch(() => {});
    }
  };
  void goOn();
  return { stop: () => stopping.abort(new Error('Haic is stopping.')) };
}

/** What a dead or missing server looks like; anything else (a path too long for a socket) no restart would mend. */
const silent = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAGAIN']);

/** Undefined when it answers, if only to say that it is too busy. */
async function whySilent(
  installer: Pick<EnvironmentsClient, 'health'>,
  limitMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    await installer.health({ signal: AbortSignal.any([signal, limit]) });
    return undefined;
  } catch (error) {
    if (limit.aborted) return `no answer within ${limitMs / 1000} s`;
    const cause = error instanceof HaicError ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    return typeof code === 'string' && silent.has(code) ? messageOf(error) : undefined;
  }
}

async function restart(runtime: Runtime, signal: AbortSignal): Promise<void> {
  await runtime.patch(installerName, { replicas: 0 }, { signal });
  const stopped = async () =>
    (await runtime.get(installerName))?.status.phase === 'Suspended' ? true : undefined;
  // Whatever happens meanwhile, it is to run again.
  await until(stopped, {
    everyMs: 50,
    signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  }).finally(() => runtime.patch(installerName, { replicas: 1 }, { signal: AbortSignal.timeout(30_000) }));
}
