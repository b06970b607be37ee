import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CommandError, exitCodes } from '../terminal.ts';

export const benchAreas = ['router', 'control', 'start'] as const;

/** Runs `bench/<area>.ts` (or all of them): each compares with its peers in one run and prints its rows. */
export async function runBenchmarks(options: {
  area: string | undefined;
  json: string | undefined;
}): Promise<void> {
  const areas = options.area === undefined ? benchAreas : benchAreas.filter((name) => name === options.area);
  if (areas.length === 0) {
    throw new CommandError(
      `There is no benchmark "${options.area}". Benchmarks: ${benchAreas.join(', ')}.`,
      exitCodes.usage,
    );
  }
  const entry = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));
  await access(entry);
  const args = [entry, ...areas, ...(options.json === undefined ? [] : ['--json', options.json])];
  process.exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
