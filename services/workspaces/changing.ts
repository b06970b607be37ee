import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, notFound } from '@haic/kit/errors.ts';
import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { AuditedAction, AuditWriter } from '@haic/services/audit/client.ts';
import { type Access, effectiveRole, membersOf, resourceOf } from './access.ts';
import { tell } from './access-cache.ts';
import { ownName, userName, type WorkspaceView } from './model.ts';
import type { WorkspaceStore } from './store.ts';

/** Who does something, and from where. */
export interface Caller {
  readonly principal: Principal;
  readonly origin: Pick<AuditedAction, 'sourceIpAddress' | 'userAgent'>;
}

/** What is known while a workspace is being changed, with its role as it is now. */
export interface Changing {
  readonly workspace: WorkspaceView;
  readonly writer: TransactionSql;
  readonly at: Date;
  /** `users/<subject>` of who does it. */
  readonly by: string;
  /** Kept with the change, or not at all. */
  record(action: string, more?: Pick<AuditedAction, 'resource' | 'metadata'>): Promise<void>;
}

export type Change = <T>(
  caller: Caller,
  name: string,
  work: (changing: Changing) => Promise<T>,
) => Promise<T>;

/**
 * The one way by which a workspace or its members change: one change of a workspace at a time, decided on what is true when it is its turn, recorded
 * in the audit trail with it, and told to everybody who keeps answers about it before the caller hears that it is done.
 */
export function createChange(parts: {
  readonly database: Database;
  readonly workspaces: WorkspaceStore;
  readonly access: Access;
  readonly audit: AuditWriter;
  readonly now: () => Date;
  /** In this process; others hear it from the database. */
  readonly forget: (id: string) => void;
}): Change {
  const { database, workspaces, access, audit, now, forget } = parts;
  return async (caller, name, work) => {
    const { principal, origin } = caller;
    const id = await access.resolve(principal, name);
    const by = userName(principal.subject);
    const result = await database.transaction(async (writer) => {
      const found = await workspaces.lock(id, membersOf(principal), writer);
      if (found === undefined) throw notFound('This workspace');
      const workspace = { ...found, role: effectiveRole(found.kind, principal, found.role) };
      const done = await work({
        ...{ workspace, writer, by, at: now() },
        record: (action, more) =>
          audit.record(
            { action, readOnly: false, principal: by, resource: resourceOf(id), ...origin, ...more },
            writer,
          ),
      });
      await tell(writer, id);
      return done;
    });
    forget(id);
    return result;
  };
}

/** What the service does by itself. */
export const ownAction = (action: string, id: string): AuditedAction => ({
  ...{ action, readOnly: false, principal: ownName, resource: resourceOf(id) },
});

export const etagOf = (revision: number): string => `"${revision}"`;

/** Two who change the same at once: the second one is told, and overwrites nothing. An empty etag asks for nothing. */
export function enforceEtag(etag: string, revision: number): void {
  if (etag !== '' && etag !== etagOf(revision))
    throw conflict(
      'changed_meanwhile',
      'Somebody else has changed this meanwhile. Look at it again, and then change it.',
    );
}
