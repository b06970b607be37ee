/** A signal that aborts after `milliseconds`, or with `signal` if one is given. */
export function deadline(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

/** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits until `check` returns something other than undefined, asking every `everyMs`.
 * The signal is the deadline: its reason is what the caller sees.
 */
export async function until<T>(
  check: () => Promise<T | undefined> | T | undefined,
  options: { everyMs: number; signal: AbortSignal },
): Promise<T> {
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    await sleep(options.everyMs, options.signal);
  }
}
