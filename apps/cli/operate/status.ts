import { readFile } from 'node:fs/promises';
import type { Installation } from '@haic/server/installation.ts';
import { grpcPort, installationOf, type ServerSettings } from '@haic/server/settings.ts';
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

/** Of events on their way to the audit trail. */
interface AuditStatus {
  readonly waiting: number;
  readonly oldestMs: number;
  readonly refused: number;
  readonly problem?: string;
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
  const asked = running ? await askCore(at, installation?.issuer !== undefined) : undefined;
  const { workloads = [], audit = null, leftBehind = [] } = asked ?? {};
  const url = installation?.publicUrl ?? settings.publicUrl;
  const places = { url, grpc: `${new URL(url).hostname}:${grpcPort(listener)}`, home: at.home };
  if (options.json)
    print(JSON.stringify({ ...places, processes, workloads, audit, leftBehind }, undefined, 2));
  else {
    printStatus({ ...places, audit: wordsOf(audit) }, processes, workloads);
    if (leftBehind.length > 0)
      print(`\nLeft behind at the sign-in service, to be removed there: ${leftBehind.join(', ')}`);
  }
  if (processes.some((process) => process.state !== 'healthy') || !isWell(audit))
    process.exitCode = exitCodes.error;
}

function printStatus(
  { url, grpc, home, audit }: { url: string; grpc: string; home: string; audit: string },
  processes: readonly ProcessStatus[],
  workloads: readonly WorkloadStatus[],
): void {
  print(
    record([
      ['URL', url],
      ['GRPC', grpc],
      ['HOME', home],
      ...(audit === '' ? [] : [['AUDIT', audit] as const]),
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

async function askCore(at: Installation, issuerIsElsewhere: boolean) {
  const operator = await connectOperator(at);
  const itemsOf = async <T>(path: string) =>
    (await operator.call<{ items: readonly T[] }>('GET', path)).items;
  try {
    const [workloads, audit, leftBehind] = await Promise.all([
      itemsOf<WorkloadStatus>('/internal/operator/workloads'),
      operator.call<AuditStatus>('GET', '/internal/operator/audit'),
      // Names of clients whose instances are gone, and which Haic cannot remove.
      issuerIsElsewhere ? itemsOf<string>('/internal/identity/clients-left-behind') : [],
    ]);
    return { workloads, audit, leftBehind };
  } finally {
    await operator.close();
  }
}

const patienceMs = 60_000;

/** Whether what happens gets into the audit trail. */
const isWell = (audit: AuditStatus | null): boolean =>
  audit === null || (audit.refused === 0 && audit.oldestMs < patienceMs);

function wordsOf(audit: AuditStatus | null): string {
  if (audit === null) return '';
  const { waiting, oldestMs, refused, problem } = audit;
  const lag =
    waiting === 0
      ? 'nothing waits'
      : `${waiting} events wait, the oldest for ${Math.ceil(oldestMs / 1000)} s`;
  const why = problem === undefined ? '' : ` (${problem})`;
  return `${lag}${why}${refused === 0 ? '' : `; ${refused} were refused by the trail, see ./haic logs core`}`;
}

async function residentMiB(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB/m.exec(text);
  return match?.[1] === undefined ? null : Math.round(Number(match[1]) / 1024);
}
