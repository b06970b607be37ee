import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { messageOf } from '@haic/kit/errors.ts';
import { type Row, table } from './rows.ts';

/** `node bench/main.ts [areas…] [--json FILE]`: each area compares with its peers in one run. */
const areas: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  router: async () => (await import('./router.ts')).benchRouter(),
  control: async () => (await import('./control.ts')).benchControl(),
  start: async () => (await import('./start.ts')).benchStart(),
  identity: async () => (await import('./identity.ts')).benchIdentity(),
  drive: async () => (await import('./drive.ts')).benchDrive(),
  kubernetes: async () => (await import('./kubernetes.ts')).benchKubernetes(),
  'app-clients': async () => (await import('./app-clients.ts')).benchAppClients(),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const wanted = positionals.length === 0 ? Object.keys(areas) : positionals;
const rows: Row[] = [];
for (const name of wanted) {
  const area = areas[name];
  if (area === undefined) {
    process.stderr.write(`There is no benchmark "${name}". Benchmarks: ${Object.keys(areas).join(', ')}.\n`);
    process.exit(2);
  }
  process.stderr.write(`Measuring ${name}: takes some minutes, and a quiet machine tells more.\n`);
  try {
    rows.push(...(await area()));
  } catch (error) {
    process.stderr.write(`${name} could not be measured: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`${table(rows)}\n`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
// A peer that did not let itself be stopped must not keep the command from ending.
process.exit();
