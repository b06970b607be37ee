import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { descendants, killAll } from '@haic/platform/runtime/local/process-table.ts';
import { print } from '../terminal.ts';

// Ends with whoever started it, and with everything that it started.
process.stdin.resume().on('end', async () => {
  killAll(await descendants(process.pid, undefined));
  process.exit(1);
});

for (const script of process.argv.slice(2)) {
  const child = spawn(process.execPath, [script], { stdio: 'ignore' });
  await once(child, 'close');
  print(script);
}
process.exit();
