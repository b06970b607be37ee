import { auditMetadataOf, auditPrincipalOf } from '@haic/kit/audit/call-audit.ts';
import { statusOfHttp } from '@haic/kit/audit/outcome.ts';
import { createBound, isTold } from '@haic/kit/audit/refusals.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AuditedAction, BulkAuditWriter } from '@haic/services/audit/client.ts';
import { driveErrorOf } from './from-error.ts';
import type { Bucket } from './model.ts';
import type { DriveRequest } from './request.ts';
import { originOf } from './sts/trail.ts';
import { createTeller } from './teller.ts';

/** What is done to objects, by the names that the portal's page tells the same by. */
export const deeds = {
  get: { action: 'actions/drive/objects/GET', readOnly: true },
  put: { action: 'actions/drive/objects/PUT', readOnly: false },
  copy: { action: 'actions/drive/objects/COPY', readOnly: false },
  complete: { action: 'actions/drive/uploads/COMPLETE', readOnly: false },
  /** Told whatever the settings say. */
  remove: { action: 'actions/drive/objects/DELETE', readOnly: false },
} as const;
export type Deed = (typeof deeds)[keyof typeof deeds];

type Asked = Pick<DriveRequest, 'session' | 'authorization' | 'message' | 'bucket' | 'key'>;
type Parameters = Readonly<Record<string, string>>;

/** An error by key; undefined for what was removed. */
export interface Removed {
  readonly key: string;
  readonly error: unknown;
}

/**
 * What the audit trail hears of objects that S3 clients ask for. Nothing of it fails because the trail cannot hear it, and nothing waits for long: it
 * is told as soon as it can be.
 */
export interface ObjectTrail {
  /** Removes, and tells in one event which are gone; also when nobody knows whether they are, since it broke in the middle. */
  removing<R extends Removed>(
    request: Asked,
    bucket: Bucket,
    keys: readonly string[],
    remove: () => Promise<readonly R[]>,
  ): Promise<readonly R[]>;
  /** What was read or written, where that is told of. */
  used(request: Asked, bucket: Bucket, deed: Deed, parameters?: Parameters): Promise<void>;
  /** What somebody may not, or asked in vain. What broke is not told. */
  refused(request: Asked, bucket: Bucket | undefined, deed: Deed, error: unknown): void;
  /** Tells what waits, if it still can. */
  stop(): Promise<void>;
}

export function createObjectTrail(options: {
  /** Without one, nothing is recorded. */
  readonly audit: BulkAuditWriter | undefined;
  /** Whether reads and writes are told of, too. */
  readonly everything: boolean;
  readonly logger: Logger;
}): ObjectTrail {
  const { audit, everything, logger } = options;
  const teller = audit === undefined ? undefined : createTeller({ audit, logger });
  const refusals = createBound();
  // What is done by an address of the portal's page was told when the page asked for it.
  const isHeard = ({ session }: Asked, deed: Deed) =>
    deed === deeds.remove || (everything && session.isTold !== true);
  const tell = async (action: AuditedAction): Promise<void> => teller?.tell(action);

  return {
    removing: async (request, bucket, keys, remove) => {
      const outcomes = await remove().catch(async (error: unknown) => {
        const status = statusOf(error);
        if (!isTold(status.code))
          await tell({
            ...eventOf(request, bucket, deeds.remove, { count: String(keys.length), keys: firstOf(keys) }),
            status: { code: unknownOutcome, message: `It is not known what became of it: ${status.message}` },
          });
        throw error;
      });
      await tell(removal(request, bucket, outcomes));
      return outcomes;
    },
    used: async (request, bucket, deed, parameters = {}) => {
      if (isHeard(request, deed))
        await tell(eventOf(request, bucket, deed, { key: request.key, ...parameters }));
    },
    refused: (request, bucket, deed, error) => {
      const status = statusOf(error);
      if (!isHeard(request, deed) || !isTold(status.code, deed.readOnly ? 'denied' : 'refused')) return;
      const untold = refusals.count(request.session);
      if (untold === undefined) return;
      const event = eventOf(request, bucket, deed, request.key === '' ? {} : { key: request.key });
      const metadata = { ...event.metadata, ...(untold === 0 ? {} : { untold: String(untold) }) };
      void tell({ ...event, metadata, status });
    },
    stop: async () => teller?.stop(),
  };
}

/** google.rpc.Code.UNKNOWN. */
const unknownOutcome = 2;

function statusOf(thrown: unknown): { code: number; message: string } {
  const { status, code, message } = driveErrorOf(thrown);
  return statusOfHttp(status, { code, detail: message });
}

function removal(request: Asked, bucket: Bucket, outcomes: readonly Removed[]): AuditedAction {
  const gone = outcomes.filter(({ error }) => error === undefined);
  const failed = outcomes.length - gone.length;
  const event = eventOf(request, bucket, deeds.remove, {
    count: String(gone.length),
    keys: firstOf((gone.length === 0 ? outcomes : gone).map(({ key }) => key)),
    ...(failed === 0 ? {} : { failed: String(failed) }),
  });
  return gone.length === 0 ? { ...event, status: statusOf(outcomes[0]?.error) } : event;
}

function eventOf(
  { session, authorization, message, bucket: asked }: Asked,
  bucket: Bucket | undefined,
  { action, readOnly }: Deed,
  requestParameters: Parameters,
) {
  const { share } = session;
  const name = bucket?.kind === 'workspace' ? bucket.id : asked;
  return {
    ...{ action, readOnly, requestParameters, ...originOf(message) },
    // Whoever has a link: that is not who made it.
    principal: share === undefined ? auditPrincipalOf(session) : 'users/unknown',
    resource: `//drive/buckets/${encodeURIComponent(name)}`,
    ...(bucket?.kind === 'workspace' ? { workspace: `workspaces/${bucket.id}` } : {}),
    metadata: {
      ...auditMetadataOf(session),
      access_key: authorization.accessKeyId,
      ...(share === undefined ? {} : { share, shared_by: session.subject }),
    },
  };
}

const mostKeys = 20;
/** Below what the trail keeps of one value. */
const mostCharacters = 4000;

/** The first of them, each whole; how many there are is beside them. */
function firstOf(keys: readonly string[]): string {
  let text = '';
  for (const [index, key] of keys.slice(0, mostKeys).entries()) {
    const longer = index === 0 ? key : `${text}, ${key}`;
    if (longer.length > mostCharacters) break;
    text = longer;
  }
  return text;
}
