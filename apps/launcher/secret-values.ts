import { messageOf } from '@haic/kit/errors.ts';
import type { LauncherConfig, SecretValues } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { LaunchFailure } from './failure.ts';
import type { InstanceFile } from './instance-files.ts';
import type { InstanceLog } from './instance-log.ts';
import { persist } from './patience.ts';
import { type StoreClient, StoreRefusal } from './store.ts';

/** What the app gets of secrets, for this start. Masked in the log from here on, whoever prints it. */
export interface AppSecrets {
  readonly env: LauncherConfig['env'];
  readonly files: readonly InstanceFile[];
}

/**
 * Asks the store anew at each start, so that values are written nowhere and a changed one takes effect with the next start. What the app cannot
 * do without and may not have ends the start in the store's words.
 */
export async function fetchSecrets(options: {
  config: LauncherConfig;
  store: StoreClient;
  timeoutSeconds: number;
  log: InstanceLog;
  say: (message: string) => void;
  signal: AbortSignal;
}): Promise<AppSecrets> {
  const { config, store, log, say, signal } = options;
  if (!config.secrets) return { env: [], files: [] };
  let values: SecretValues;
  try {
    values = await persist((limit) => store.requestSecrets({ signal: limit }), {
      patience: { deadlineMs: options.timeoutSeconds * 1000, firstPauseMs: 250, longestPauseMs: 5_000 },
      signal,
      isFinal: (error) => error instanceof StoreRefusal,
      onRetry: (message) => {
        log.line('launcher', `The secrets of the app could not be had (${message}). Trying again.`);
        say(`Waiting for the secrets of this app. ${message}`);
      },
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new LaunchFailure(`The secrets of this app could not be had: ${messageOf(error)}`, [], error);
  }
  say('');
  for (const { value } of values.env) maskLines(log, value);
  const files = values.files.map(({ path, base64 }) => ({ path, value: Buffer.from(base64, 'base64') }));
  for (const { value } of files) maskLines(log, value.toString('utf8'));
  log.line('launcher', `Read ${values.env.length + files.length} values of secrets.`);
  return { env: values.env, files };
}

/** The log is made of lines; a value of several is never printed as one. */
function maskLines(log: InstanceLog, value: string): void {
  for (const line of value.split(/\r?\n/)) log.mask(line.trim());
}
