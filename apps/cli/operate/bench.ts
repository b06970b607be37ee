import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Runs `bench/<area>.ts` (or all of them), which compare with their peers in one run and print their rows. `bench/main.ts` knows the areas. */
export async function runBenchmarks(options: {
  area: string | undefined;
  json: string | undefined;
}): Promise<void> {
  const entry = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));
  await access(entry);
  const areas = options.area === undefined ? [] : [options.area];
  const args = [entry, ...areas, ...(options.json === undefined ? [] : ['--json', options.json])];
  process.exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
