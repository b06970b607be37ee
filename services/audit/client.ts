import { callJson, type Fetch } from '@haic/kit/http/client.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';

/** What somebody did, as a service tells the audit trail (contracts: Event of `ai.h2o.audittrail.v1`). Never a secret, never a token. */
export interface AuditedAction {
  /** The name of the authorization action, e.g. `actions/securestore/versions/REVEALVALUE`. */
  readonly action: string;
  readonly readOnly: boolean;
  /** `users/<subject>` or `services/<name>`. */
  readonly principal: string;
  /** `//<service>/workspaces/<id>/<collection>/<id>` without aliases, or a collection. */
  readonly resource?: string;
  /** Where it belongs, when the resource does not say: `workspaces/<id>`. */
  readonly workspace?: string;
  /** `google.rpc.Code` and its message; left out for what succeeded. */
  readonly status?: { readonly code: number; readonly message: string };
  /** As the connection or the router says. Private addresses are blackened by the trail. Left out for what no request caused. */
  readonly sourceIpAddress?: string;
  readonly userAgent?: string;
  readonly requestParameters?: Readonly<Record<string, string>>;
  /** Keys: 1–63 characters of `[a-z0-9_]`, a letter first, a letter or digit last. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Now, when left out. */
  readonly eventTime?: Date;
}

/** The one way by which services write to the audit trail. */
export interface AuditWriter {
  /**
   * Resolves when the action is recorded durably; it reaches the trail afterwards, also when that is away for a while. With `within` it is recorded
   * if and only if that transaction commits. What must not happen unrecorded waits for this and fails with it.
   */
  record(action: AuditedAction, within?: TransactionSql): Promise<void>;
}

/** For what is told often, and happens whether it can be told or not. */
export interface BulkAuditWriter {
  /**
   * Records all of them at once, durably, or none. It takes half of the outbox's room at most: the other half is for what must not happen unrecorded.
   */
  recordMany(actions: readonly AuditedAction[]): Promise<void>;
}

/** An event in the JSON of the API (`Event` of `ai.h2o.audittrail.v1`). */
export type EventJson = Readonly<Record<string, EventJsonValue>>;
export type EventJsonValue = string | number | boolean | Readonly<Record<string, string | number>>;

export interface EventRequest {
  /** UUID of version 4. The same one again, with the same event, is the same event. */
  readonly eventId: string;
  readonly event: EventJson;
}

/** The trail, as an outbox hands on to it. In memory inside core, over HTTP elsewhere. */
export interface TrailClient {
  /**
   * Records up to 1000 events. Returns why some are refused for good, by their index; everything else is in the trail, durably. Throws when the trail
   * cannot be reached or cannot write now.
   */
  batchCreate(requests: readonly EventRequest[], signal: AbortSignal): Promise<ReadonlyMap<number, string>>;
}

/** Over HTTP, with a token of the service's own. */
export function createHttpTrailClient(options: {
  /** Such as `http://core/audit-trail`. */
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly token: () => Promise<string>;
}): TrailClient {
  return {
    batchCreate: async (requests, signal) => {
      const { failedRequests } = await callJson<{
        readonly failedRequests: Readonly<Record<string, { readonly message: string }>>;
      }>(options.fetch, `${options.baseUrl}/v1/events:batchCreate`, {
        method: 'POST',
        token: await options.token(),
        json: { requests },
        signal,
      });
      return new Map(Object.entries(failedRequests).map(([index, { message }]) => [Number(index), message]));
    },
  };
}
