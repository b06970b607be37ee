import process from 'node:process';
import { installationOf, readSettings } from '@haic/server/settings.ts';
import { listenerOf } from './health.ts';
import { recordProcess } from './processes.ts';
import { supervise } from './supervisor.ts';

/** The supervisor of `up --detach`: a process of its own that outlives the command. */
const settings = readSettings(process.env);
const installation = installationOf(settings);
await recordProcess(installation.run, 'supervisor', process.pid);
const supervised = supervise({
  installation,
  listener: listenerOf(settings),
  environment: process.env,
  onEvent: (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void supervised.stop().then(() => process.exit(0)));
}
