import type { Principal } from '../auth/principal.ts';

/** A call that is to be told of, before it is made. Never with a secret or a token. */
export interface AuditedCall {
  /** `actions/<service>/<collection>/<VERB>`. */
  readonly action: string;
  readonly readOnly: boolean;
  /** `users/<subject>` or `services/<name>`. */
  readonly principal: string;
  /** `//<service>/<collection>/<id>`, or the collection where something is made. */
  readonly resource?: string;
  /** Where it belongs, when the resource does not say: `workspaces/<id>`. */
  readonly workspace?: string;
  readonly sourceIpAddress: string;
  readonly userAgent: string;
  readonly requestParameters?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface CallOutcome {
  /** `google.rpc.Code` and what the caller was told; left out for what succeeded. */
  readonly status?: { readonly code: number; readonly message: string };
  /** When more is known of it than at the beginning. */
  readonly resource?: string;
}

/** Tells of calls: what is begun is durable before anything is done, so that nothing happens unrecorded, whatever breaks when. */
export interface CallAudit {
  /** Throws `audit_unavailable` (503) when it cannot be recorded; then the call is not to be made. */
  begin(call: AuditedCall): Promise<OpenCall>;
}

export interface OpenCall {
  /** Never throws: a call that was begun is recorded in any case, then with an outcome that is not known. */
  end(outcome: CallOutcome): Promise<void>;
  /** Nothing happened that has to be told. */
  drop(): Promise<void>;
}

const servicePrefix = 'haic-service-';

/** How the trail names who calls. */
export const auditPrincipalOf = ({
  party,
  partyKind,
  subject,
}: Pick<Principal, 'party' | 'partyKind' | 'subject'>): string =>
  partyKind === 'service' ? `services/${party.slice(servicePrefix.length)}` : `users/${subject}`;

/** By which client, and for which app, beside who it is. */
export const auditMetadataOf = ({
  party,
  instanceId,
}: Pick<Principal, 'party' | 'instanceId'>): Record<string, string> => ({
  client: party,
  ...(instanceId === undefined ? {} : { app_instance: instanceId }),
});
