import { randomUUID } from 'node:crypto';
import type { CallAudit } from '@haic/kit/audit/call-audit.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter, BulkAuditWriter, EventRequest, TrailClient } from '../client.ts';
import { notRecorded } from '../refusals.ts';
import { eventJsonOf, statusJson, type ToldJson } from './event-json.ts';
import { type ForwarderTimes, startForwarder } from './forwarder.ts';
import { type Backlog, outboxStore } from './store.ts';

export { auditOutboxMigrations } from './migrations.ts';

export interface AuditOutbox extends AuditWriter, BulkAuditWriter, CallAudit {
  status(): Promise<Backlog & { readonly problem: string | undefined }>;
  stop(): Promise<void>;
}

const usualLimit = 200_000;
const lookEveryMs = 2_000;

/**
 * Where a service tells what was done: a table beside its own, so that both commit or neither, from which a forwarder brings it to the trail. Full
 * (200,000 events wait, of hours without a trail), it refuses, and so does what must not happen unrecorded.
 */
export function createAuditOutbox(options: {
  readonly database: Database;
  readonly trail: TrailClient;
  readonly logger: Logger;
  readonly times?: Partial<ForwarderTimes>;
  readonly limit?: number;
}): AuditOutbox {
  const { database, logger, limit = usualLimit } = options;
  const forwarder = startForwarder(options);
  const room = createRoom(database, limit);
  return {
    record: async (action, within) => {
      const told = { eventId: randomUUID(), event: eventJsonOf(action) };
      try {
        await room.ask();
        await outboxStore.add(within ?? database.sql, told, true);
      } catch (error) {
        throw notRecorded(error);
      }
      if (within === undefined) forwarder.wake();
    },

    recordMany: async (actions) => {
      const told = actions.map((action) => ({ eventId: randomUUID(), event: eventJsonOf(action) }));
      try {
        await room.ask(limit / 2);
        await outboxStore.addMany(database.sql, told);
      } catch (error) {
        throw notRecorded(error);
      }
      forwarder.wake();
    },

    begin: async (call) => {
      const eventId = randomUUID();
      try {
        await room.ask();
        await outboxStore.add(database.sql, { eventId, event: eventJsonOf(call) }, false);
      } catch (error) {
        throw notRecorded(error);
      }
      return {
        end: async ({ status, resource }) => {
          const known = eventJsonOf({ ...call, ...(resource === undefined ? {} : { resource }) });
          const outcome = {
            resource: known.resource,
            ...(status === undefined ? {} : { status: statusJson(status) }),
          };
          try {
            if (!(await outboxStore.settle(database.sql, eventId, outcome)))
              await outboxStore.add(database.sql, lateOutcome(eventId, { ...known, ...outcome }), true);
            forwarder.wake();
          } catch (error) {
            logger.warn({ err: error, action: call.action }, 'The outcome of a call could not be recorded.');
          }
        },
        drop: () => outboxStore.drop(database.sql, eventId),
      };
    },

    status: async () => ({
      ...(await outboxStore.backlog(database.sql, limit)),
      problem: forwarder.problem,
    }),
    stop: forwarder.stop,
  };
}

/** It took so long that it was told already as something that nobody knows the outcome of. */
const lateOutcome = (eventId: string, event: ToldJson): EventRequest => ({
  eventId: randomUUID(),
  event: { ...event, metadata: { ...event.metadata, outcome_of: eventId } },
});

/** Whether there is room, looked at every few seconds: a bound need not be exact. */
function createRoom(database: Database, limit: number) {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let waiting = 0;
  return {
    async ask(most = limit): Promise<void> {
      if (performance.now() - lookedAt > lookEveryMs) {
        lookedAt = performance.now();
        waiting = (await outboxStore.backlog(database.sql, limit)).waiting;
      }
      if (waiting >= most) throw new Error(`${waiting} events wait for the audit trail already.`);
    },
  };
}
