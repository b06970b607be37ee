import { readFile } from 'node:fs/promises';
import type { Installation } from '@haic/server/installation.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { listenerOf, roleHealth } from '../installation/health.ts';
import { connectOperator } from '../installation/operator.ts';
import { liveProcess, type RunningInstallation, readRecord, roles } from '../installation/processes.ts';
import { age, exitCodes, print, record, table } from '../terminal.ts';

interface ProcessStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly memoryMiB: number | null;
  readonly state: string;
}

interface WorkloadStatus {
  readonly name: string;
  readonly phase: string;
  readonly reason: string;
  readonly since: string;
}

/** What runs: the platform's processes with health and memory, and every workload with its state. Exit 1 when something is not well. */
export async function status(settings: ServerSettings, options: { json: boolean }): Promise<void> {
  const at = installationOf(settings);
  const installation = await readRecord<RunningInstallation>(at.run, 'installation');
  const listener = installation ?? listenerOf(settings);
  const processes: ProcessStatus[] = [];
  for (const name of ['supervisor', ...roles] as const) {
    const identity = await liveProcess(at.run, name);
    const health =
      name === 'supervisor' ? { healthy: true, message: 'healthy' } : await roleHealth(name, at, listener);
    processes.push({
      name,
      pid: identity?.pid ?? null,
      memoryMiB: identity === undefined ? null : await residentMiB(identity.pid),
      state: identity === undefined ? 'stopped' : health.message,
    });
  }
  const running = processes.some((process) => process.name === 'core' && process.state === 'healthy');
  const workloads = running ? await workloadStatuses(at) : [];
  const url = installation?.publicUrl ?? settings.publicUrl;
  if (options.json) print(JSON.stringify({ url, home: at.home, processes, workloads }, undefined, 2));
  else printStatus(url, at.home, processes, workloads);
  if (processes.some((process) => process.state !== 'healthy')) process.exitCode = exitCodes.error;
}

function printStatus(
  url: string,
  home: string,
  processes: readonly ProcessStatus[],
  workloads: readonly WorkloadStatus[],
): void {
  print(
    record([
      ['URL', url],
      ['HOME', home],
    ]),
  );
  print('');
  const processRows = processes.map((p) => [
    p.name,
    p.state,
    p.pid === null ? '' : String(p.pid),
    p.memoryMiB === null ? '' : `${p.memoryMiB} MiB`,
  ]);
  print(table(['PROCESS', 'STATE', 'PID', 'MEMORY'], processRows));
  if (workloads.length === 0) return;
  print('');
  print(
    table(
      ['WORKLOAD', 'STATE', 'SINCE', 'REASON'],
      workloads.map((w) => [w.name, w.phase, age(w.since), w.reason]),
    ),
  );
}

async function workloadStatuses(at: Installation): Promise<readonly WorkloadStatus[]> {
  const operator = await connectOperator(at);
  try {
    return (await operator.call<{ items: readonly WorkloadStatus[] }>('GET', '/internal/operator/workloads'))
      .items;
  } finally {
    await operator.close();
  }
}

async function residentMiB(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB/m.exec(text);
  return match?.[1] === undefined ? null : Math.round(Number(match[1]) / 1024);
}
