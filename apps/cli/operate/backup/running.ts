import { readFile } from 'node:fs/promises';
import type { Installation } from '@haic/server/installation.ts';
import { settings as settingsReference } from '@haic/server/settings.ts';
import { liveProcess, roles } from '../../installation/processes.ts';

/** The environment with which the platform was started, which need not be that of this command. Undefined when it does not run. */
export async function environmentOfRunning(
  at: Pick<Installation, 'run'>,
): Promise<NodeJS.ProcessEnv | undefined> {
  for (const role of roles.toReversed()) {
    const identity = await liveProcess(at.run, role);
    if (identity === undefined) continue;
    const text = await readFile(`/proc/${identity.pid}/environ`, 'utf8').catch(() => '');
    if (text === '') continue;
    return Object.fromEntries(
      text.split('\0').flatMap((line) => {
        const at = line.indexOf('=');
        return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
      }),
    );
  }
  return undefined;
}

/** What a store's own client looks up in the environment, credentials among it, as the platform has it. */
export function takeOver(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment))
    if (/^(AWS|AZURE|GOOGLE)_/.test(name)) process.env[name] = value;
}

/** Places of one machine, what `up` works out by itself, and secrets: of no use elsewhere. */
const ofThisMachine = [
  ...['HAIC_HOME', 'HAIC_CACHE', 'HAIC_ENVIRONMENTS_DIR', 'HAIC_PORTAL_DIR', 'HAIC_UV', 'HAIC_DATABASE_URL'],
  ...['HAIC_PORT', 'HAIC_HOST', 'HAIC_PUBLIC_URL', 'HAIC_TLS_CERT', 'HAIC_TLS_KEY', 'HAIC_LOG_LEVEL'],
];

/** What somebody had decided about this installation by its environment. Addresses with a password in them are nobody's to copy. */
export function decidedSettings(environment: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.values(settingsReference)
    .filter(({ env }) => !ofThisMachine.includes(env))
    .flatMap(({ env }) => {
      const value = environment[env];
      return value === undefined || value === '' || /\/\/[^/]*@/.test(value) ? [] : [[env, value] as const];
    });
  return Object.fromEntries(entries);
}
