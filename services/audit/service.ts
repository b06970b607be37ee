import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, HaicError, invalid } from '@haic/kit/errors.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { WorkspacesClient } from '../workspaces/client.ts';
import type { Filter } from './filter.ts';
import { type AuditEvent, checkEvent, type NewEvent, type ToldEvent } from './model.ts';
import { maySearch, maySearchWorkspace, workspaceAskedFor } from './policy.ts';
import { eventIdTaken } from './refusals.ts';
import { type Page, type SearchEffort, searchEvents } from './search.ts';
import type { Trail } from './trail.ts';

export const largestBatch = 1000;
const usualPage = 50;
const largestPage = 1000;

export interface Batch {
  readonly events: readonly AuditEvent[];
  /** By the index in what was asked. */
  readonly failed: ReadonlyMap<number, HaicError>;
}

export interface AuditService {
  create(told: ToldEvent): Promise<AuditEvent>;
  createAll(told: readonly (() => ToldEvent)[]): Promise<Batch>;
  /** `pageSize` 0 for the usual one. */
  search(
    who: Principal,
    filter: Filter,
    page: { readonly pageSize: number; readonly pageToken: string; readonly signal: AbortSignal },
  ): Promise<Page>;
  /** Throws unless they may search by this filter. */
  enforceSearch(who: Principal, filter: Filter): Promise<void>;
}

export function createAuditService(options: {
  readonly database: Database;
  readonly trail: Trail;
  /** Without one, nobody searches as the administrator of a workspace. */
  readonly workspaces: WorkspacesClient | undefined;
  readonly effort?: SearchEffort;
}): AuditService {
  const { database, trail, workspaces, effort } = options;
  const enforceSearch: AuditService['enforceSearch'] = async (who, filter) => {
    if (maySearch(who, filter)) return;
    const workspace = workspaceAskedFor(filter);
    if (workspace !== undefined && workspaces !== undefined) {
      const access = await workspaces.accessOf(who, workspace);
      // What is asked for is compared with names that are no aliases.
      if (access.workspace === workspace && maySearchWorkspace(access.role)) return;
    }
    throw forbidden(
      'search_refused',
      'Administrators search the whole audit trail; administrators of a workspace search that one (workspaceExact); everybody else finds their own events (principalExact).',
    );
  };
  return {
    create: async (told) => {
      const event = checkEvent(told);
      const [answer] = await trail.append([event]);
      if (answer === undefined || answer === 'taken') throw eventIdTaken(event.id);
      return answer;
    },

    createAll: async (told) => {
      if (told.length > largestBatch)
        throw invalid(
          'batch_too_large',
          `A batch has at most ${largestBatch} events, and this one ${told.length}.`,
        );
      const failed = new Map<number, HaicError>();
      const good: { readonly index: number; readonly event: NewEvent }[] = [];
      for (const [index, read] of told.entries()) {
        try {
          good.push({ index, event: checkEvent(read()) });
        } catch (error) {
          if (!(error instanceof HaicError)) throw error;
          failed.set(index, error);
        }
      }
      const answers = await trail.append(good.map(({ event }) => event));
      const events: AuditEvent[] = [];
      for (const [at, { index, event }] of good.entries()) {
        const answer = answers[at];
        if (answer === undefined || answer === 'taken') failed.set(index, eventIdTaken(event.id));
        else events.push(answer);
      }
      return { events, failed };
    },

    search: async (who, filter, { pageSize, pageToken, signal }) => {
      if (pageSize < 0) throw invalid('invalid_filter', 'The search is not valid: pageSize is negative.');
      await enforceSearch(who, filter);
      const size = pageSize === 0 ? usualPage : Math.min(pageSize, largestPage);
      return searchEvents(database, filter, { size, token: pageToken, signal }, effort);
    },
    enforceSearch,
  };
}
