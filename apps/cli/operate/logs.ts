import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { CommandError, exitCodes, say } from '../terminal.ts';

const services = ['router', 'drive', 'core', 'postgres', 'supervisor'] as const;

/** The last lines of the platform's logs, one service or all; with `follow` what comes after. */
export async function logs(
  settings: ServerSettings,
  options: { service: string | undefined; follow: boolean; tail: number },
): Promise<void> {
  const wanted =
    options.service === undefined ? services : services.filter((name) => name === options.service);
  if (wanted.length === 0) {
    throw new CommandError(
      `There is no service "${options.service}". Services: ${services.join(', ')}. Logs of an app: ./haic instance logs ID`,
      exitCodes.usage,
    );
  }
  const directory = installationOf(settings).logs;
  const files: string[] = [];
  for (const name of wanted) {
    const file = path.join(directory, `${name}.log`);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      files.push(file);
  }
  if (files.length === 0) return say('There are no logs yet. Start Haic: ./haic up');
  const args = ['-n', String(options.tail), ...(options.follow ? ['-F'] : []), ...files];
  await new Promise<void>((resolve, reject) => {
    const tail = spawn('tail', args, { stdio: ['ignore', 'inherit', 'inherit'] });
    tail.once('error', reject);
    tail.once('close', () => resolve());
  });
}
