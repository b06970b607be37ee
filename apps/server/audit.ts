import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { type Audit, createAudit } from '@haic/services/audit/audit.ts';
import type { TrailClient } from '@haic/services/audit/client.ts';
import { type AuditOutbox, createAuditOutbox } from '@haic/services/audit/outbox/outbox.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { WorkspacesClient } from '@haic/services/workspaces/client.ts';
import type { Installation } from './installation.ts';
import type { ServerSettings } from './settings.ts';

export interface ComposedAudit {
  /** What services tell it by. It works from the start, before there is a trail. */
  readonly outbox: AuditOutbox;
  /** The trail itself, once it is known who people are. */
  begin(parts: { identity: IdentityClient; workspaces?: WorkspacesClient }): Audit;
  stop(): Promise<void>;
}

const dayMs = 24 * 60 * 60 * 1000;

/** The trail and what tells it, in one process: services are composed with the outbox, and the trail knows people by one of them. */
export function composeAudit(options: {
  settings: ServerSettings;
  installation: Installation;
  masterKey: Buffer;
  database: Database;
  logger: Logger;
}): ComposedAudit {
  const { settings, installation, masterKey, database, logger } = options;
  const begun = Promise.withResolvers<Audit>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let audit: Audit | undefined;
  const trail: TrailClient = {
    batchCreate: async (requests, signal) => (await begun.promise).client.batchCreate(requests, signal),
  };
  const outbox = createAuditOutbox({ database, trail, logger });
  return {
    outbox,
    begin: ({ identity, workspaces }) => {
      audit = createAudit({
        database,
        masterKey,
        witnessFile: installation.auditWitness,
        usernameOf: async (subject) => (await identity.findPerson(subject))?.username,
        ...(workspaces === undefined ? {} : { workspaces }),
        retentionDays: settings.auditRetentionDays,
        logger,
      });
      begun.resolve(audit);
      const { expire } = audit;
      const expireQuietly = () => {
        expire(stopping.signal).catch((error: unknown) => {
          if (!stopping.signal.aborted)
            logger.warn({ err: error }, 'Old events of the audit trail could not be removed.');
        });
      };
      expireQuietly();
      timer = setInterval(expireQuietly, dayMs).unref();
      return audit;
    },
    stop: async () => {
      clearInterval(timer);
      stopping.abort(new Error('Haic is stopping.'));
      begun.promise.catch(() => {});
      begun.reject(stopping.signal.reason);
      await outbox.stop();
      await audit?.stop();
    },
  };
}
