import type { ServedService } from '@haic/kit/grpc-gateway/service.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { PeopleDirectory } from '@haic/services/identity/client.ts';
import { createAccess } from './access.ts';
import { createAccessCache } from './access-cache.ts';
import { createChange } from './changing.ts';
import type { WorkspaceContents, WorkspacesClient } from './client.ts';
import { createContentTasks } from './contents.ts';
import { createMemberStore } from './member-store.ts';
import { createMembersService } from './members.ts';
import { isId } from './model.ts';
import { serveDirectory } from './routes/directory-service.ts';
import { registerInternal } from './routes/internal.ts';
import { registerMe } from './routes/me.ts';
import { serveMembers } from './routes/member-service.ts';
import { serveWorkspaces } from './routes/workspace-service.ts';
import { createWorkspacesService } from './service.ts';
import { createWorkspaceStore } from './store.ts';

export { workspacesMigrations } from './migrations.ts';

export interface WorkspacesOptions {
  /** With `workspacesMigrations` applied. */
  readonly database: Database;
  readonly directory: PeopleDirectory;
  readonly audit: AuditWriter;
  readonly logger: Logger;
  readonly clock?: () => Date;
}

export interface Workspaces {
  readonly client: WorkspacesClient;
  /** Whether there is one of this id, whoever may know of it; also one that is deleted and can be restored. */
  exists(id: string): Promise<boolean>;
  /** To be mounted as `authz-gateway`, with the deed `see workspaces`. */
  readonly services: readonly ServedService[];
  /** What other processes ask, and `<mlopsPrefix>/me`. */
  register(server: HttpServer, mlopsPrefix: string): void;
  /** From now on the service is told what becomes of workspaces. To be said before the first one is deleted. */
  holds(contents: WorkspaceContents): void;
  /** Tells services what they have not heard, and purges. Runs by itself every minute until `stop`. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

const sweepEveryMs = 60_000;

export async function createWorkspaces(options: WorkspacesOptions): Promise<Workspaces> {
  const { database, directory, audit, logger } = options;
  const now = options.clock ?? (() => new Date());
  const workspaces = createWorkspaceStore(database);
  const members = createMemberStore(database);
  const access = createAccess({ database, workspaces, members, audit, now });
  const cache = await createAccessCache({ inner: access, database });
  const contents = createContentTasks({ database, workspaces, audit, now, logger });
  const change = createChange({ database, workspaces, access, audit, now, forget: cache.forget });
  const service = createWorkspacesService({
    ...{ database, workspaces, members, access, change, contents, directory, audit, now },
  });
  const memberService = createMembersService({ members, workspaces: service, change, directory });
  const timer = setInterval(() => {
    contents.sweep().catch((error: unknown) => logger.warn({ err: error }, 'Workspaces could not be swept.'));
  }, sweepEveryMs);
  timer.unref();
  return {
    client: { accessOf: cache.accessOf, workspacesOf: cache.workspacesOf },
    exists: async (id) => isId(id) && (await workspaces.get(id, [])) !== undefined,
    services: [
      serveDirectory(directory),
      serveWorkspaces(service, memberService),
      serveMembers(memberService),
    ],
    register: (server, mlopsPrefix) => {
      registerInternal(server, cache);
      registerMe(server, mlopsPrefix);
    },
    holds: contents.holds,
    sweep: contents.sweep,
    stop: async () => {
      clearInterval(timer);
      await cache.stop();
    },
  };
}
