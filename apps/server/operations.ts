import type { Logger } from '@haic/kit/logging.ts';
import { createMeter, type Meter } from '@haic/kit/telemetry/meter.ts';
import { type OperationsServer, startOperationsServer } from '@haic/kit/telemetry/operations-server.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { AuditOutbox } from '@haic/services/audit/outbox/outbox.ts';
import type { ServerSettings } from './settings.ts';

/** Where a process says how it is. Each role has a port of its own, so that all can run on one machine. */
export interface Operations {
  readonly meter: Meter;
  readonly server: OperationsServer;
}

const offsets = { router: 0, core: 1, drive: 2 } as const;

/** Undefined where nobody asks: then nothing is measured, and nothing is loaded for it. */
export async function startOperations(
  role: keyof typeof offsets,
  settings: Pick<ServerSettings, 'operationsPort' | 'operationsHost'>,
  logger: Logger,
): Promise<Operations | undefined> {
  const { operationsHost: host, operationsPort } = settings;
  if (operationsPort === 0) return undefined;
  const meter = await createMeter(role);
  const listen = { host, port: operationsPort + offsets[role] };
  return { meter, server: await startOperationsServer({ meter, listen, logger }) };
}

/** Whether the database answers, and what this process has open there. */
export function measureDatabase(meter: Meter | undefined, { sql }: Database): void {
  meter?.gauge({
    name: 'haic_database_up',
    help: 'Whether the database answers; missing while it takes long.',
    read: async () => [
      {
        value: await sql`select 1`.then(
          () => 1,
          () => 0,
        ),
      },
    ],
  });
  meter?.gauge({
    name: 'haic_database_connections',
    help: 'Connections of this process to the database, by what they do.',
    labels: ['state'],
    read: async () => {
      const rows = await sql<{ state: string; open: number }[]>`
        select coalesce(state, 'unknown') as state, count(*)::int as open from pg_stat_activity
        where application_name = current_setting('application_name')
          and client_addr is not distinct from (select client_addr from pg_stat_activity where pid = pg_backend_pid())
        group by 1`;
      return rows.map(({ state, open }) => ({ value: open, labels: { state } }));
    },
  });
}

/** What the runtime runs. More than one core says the same of it. */
export function measureWorkloads(meter: Meter | undefined, runtime: Pick<Runtime, 'list'>): void {
  meter?.gauge({
    name: 'haic_workloads',
    help: 'Instances and other workloads, by phase.',
    labels: ['phase'],
    read: async () => {
      const counts = new Map<string, number>();
      for (const { status } of await runtime.list({}))
        counts.set(status.phase, (counts.get(status.phase) ?? 0) + 1);
      return [...counts].map(([phase, value]) => ({ value, labels: { phase } }));
    },
  });
}

/** What waits to be recorded in the audit trail, and what it refused. */
export function measureOutbox(meter: Meter | undefined, outbox: Pick<AuditOutbox, 'status'>): void {
  meter?.gauge({
    name: 'haic_audit_events_waiting',
    help: 'Events that the audit trail has not taken yet.',
    read: async () => [{ value: (await outbox.status()).waiting }],
  });
  meter?.gauge({
    name: 'haic_audit_oldest_waiting_seconds',
    help: 'How long the oldest of them has waited.',
    read: async () => [{ value: (await outbox.status()).oldestMs / 1000 }],
  });
  meter?.gauge({
    name: 'haic_audit_events_refused',
    help: 'Events that the audit trail refused for good.',
    read: async () => [{ value: (await outbox.status()).refused }],
  });
}
