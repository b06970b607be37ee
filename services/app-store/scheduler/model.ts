import type { Endpoint, LabelSelector, Workload } from '@haic/platform/runtime/port.ts';
import type { AppMode, RoutingMode, Visibility } from '../catalog/client.ts';
import type { InstanceStatus } from './instance-route.ts';

/** Seconds until an instance pauses by itself. */
export type SuspendAfter = number | 'never';
export const pausers = ['owner', 'administrator', 'time-limit', 'owner-ended'] as const;
export type PausedBy = (typeof pausers)[number];

/** What an instance is and what people decided about it. Written as labels and annotations of its workload. */
export interface InstanceIdentity {
  /** UUID. */
  readonly id: string;
  readonly app: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly title: string;
    readonly mode: AppMode;
    /** Subject of whoever imported the app. */
    readonly owner: string;
  };
  readonly owner: { readonly subject: string; readonly username: string };
  readonly visibility: Visibility;
  readonly routingMode: RoutingMode;
  readonly oidc: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly suspendAfter: SuspendAfter;
  /** ISO 8601: when it pauses by itself. Undefined while it is paused, and when it never does. */
  readonly suspendAt: string | undefined;
  readonly pausedBy: PausedBy | undefined;
  /** ISO 8601: when it was last woken up. */
  readonly resumedAt: string | undefined;
  /** ISO 8601: when somebody last changed it. */
  readonly updatedAt: string;
  /** Goes into the instance's key. New with each owner, because the one before may have read the key; undefined for the first owner. */
  readonly keySeed: string | undefined;
}

export const stageNames = ['queued', 'fetching', 'installing', 'starting', 'ready'] as const;
export type StageName = (typeof stageNames)[number];
export type StageState = 'waiting' | 'running' | 'done' | 'failed';

/** One step of a start, for the person who waits. */
export interface Stage {
  readonly name: StageName;
  readonly state: StageState;
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** How long this step took lately, in the middle: what to expect. */
  readonly usualSeconds?: number;
}

export interface InstanceFailure {
  readonly exitCode: number | undefined;
  readonly reason: string;
  readonly message: string;
  readonly finishedAt: string;
}

/** The state of an instance and why. Derived from its workload, never stored. */
export interface InstanceState {
  readonly status: InstanceStatus;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
}

export interface Instance extends InstanceIdentity, InstanceState {
  readonly restartCount: number;
  readonly lastFailure: InstanceFailure | undefined;
  readonly stages: readonly Stage[];
  readonly statusEndpoint: Endpoint | undefined;
  readonly appEndpoint: Endpoint | undefined;
}

const labels = { kind: 'haic.io/kind', instance: 'haic.io/instance', app: 'haic.io/app' } as const;
const kind = 'app-instance';
export const instanceSelector: LabelSelector = { [labels.kind]: kind };
export const instancesOfApp = (appId: string): LabelSelector => ({
  ...instanceSelector,
  [labels.app]: appId,
});

const annotation = {
  appName: 'haic.io/app-name',
  appVersion: 'haic.io/app-version',
  appTitle: 'haic.io/app-title',
  appMode: 'haic.io/app-mode',
  appOwner: 'haic.io/app-owner',
  owner: 'haic.io/owner',
  ownerUsername: 'haic.io/owner-username',
  visibility: 'haic.io/visibility',
  routingMode: 'haic.io/routing-mode',
  oidc: 'haic.io/oidc',
  createdAt: 'haic.io/created-at',
  suspendAfter: 'haic.io/suspend-after',
  suspendAt: 'haic.io/suspend-at',
  pausedBy: 'haic.io/paused-by',
  resumedAt: 'haic.io/resumed-at',
  updatedAt: 'haic.io/updated-at',
  keySeed: 'haic.io/key-seed',
} as const;

const workloadPrefix = 'app-';
export const workloadNameOf = (instanceId: string): string => `${workloadPrefix}${instanceId}`;
/** For events that carry a name and nothing else. */
export const instanceIdOfWorkload = (name: string): string | undefined =>
  name.startsWith(workloadPrefix) ? name.slice(workloadPrefix.length) : undefined;

export const labelsOf = (instance: InstanceIdentity): Record<string, string> => ({
  [labels.kind]: kind,
  [labels.instance]: instance.id,
  [labels.app]: instance.app.id,
});

export const annotationsOf = (instance: InstanceIdentity): Record<string, string> => ({
  [annotation.appName]: instance.app.name,
  [annotation.appVersion]: instance.app.version,
  [annotation.appTitle]: instance.app.title,
  [annotation.appMode]: instance.app.mode,
  [annotation.appOwner]: instance.app.owner,
  [annotation.owner]: instance.owner.subject,
  [annotation.ownerUsername]: instance.owner.username,
  [annotation.visibility]: instance.visibility,
  [annotation.routingMode]: instance.routingMode,
  [annotation.oidc]: String(instance.oidc),
  [annotation.createdAt]: instance.createdAt,
  [annotation.suspendAfter]: String(instance.suspendAfter),
  ...(instance.suspendAt === undefined ? {} : { [annotation.suspendAt]: instance.suspendAt }),
  ...(instance.pausedBy === undefined ? {} : { [annotation.pausedBy]: instance.pausedBy }),
  ...(instance.resumedAt === undefined ? {} : { [annotation.resumedAt]: instance.resumedAt }),
  ...(instance.updatedAt === instance.createdAt ? {} : { [annotation.updatedAt]: instance.updatedAt }),
  ...(instance.keySeed === undefined ? {} : { [annotation.keySeed]: instance.keySeed }),
});

/** Changes of annotations; undefined takes one away. */
type Annotations = Readonly<Record<string, string | undefined>>;
const isoOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Whom its app belongs to decides who sees its log, and is nobody's change of the instance. */
export const appOwnerAnnotation = (subject: string): Annotations => ({ [annotation.appOwner]: subject });

export const visibilityAnnotation = (visibility: Visibility, now: number): Annotations => ({
  [annotation.visibility]: visibility,
  [annotation.updatedAt]: isoOf(now),
});

/** When an instance that starts, wakes up or is extended now is due. */
export const suspendAtOf = (after: SuspendAfter, now: number): string | undefined =>
  after === 'never' ? undefined : isoOf(now + after * 1000);

export const suspendAtAnnotation = (after: SuspendAfter, now: number): Annotations => ({
  [annotation.suspendAt]: suspendAtOf(after, now),
  [annotation.updatedAt]: isoOf(now),
});

export const suspendAfterAnnotations = (
  after: SuspendAfter,
  { runs, now }: { runs: boolean; now: number },
): Annotations => ({
  ...suspendAtAnnotation(runs ? after : 'never', now),
  [annotation.suspendAfter]: String(after),
});

export const pausedAnnotations = (by: PausedBy, now: number): Annotations => ({
  ...suspendAtAnnotation('never', now),
  [annotation.pausedBy]: by,
});

export const resumedAnnotations = (after: SuspendAfter, now: number): Annotations => ({
  ...suspendAtAnnotation(after, now),
  [annotation.pausedBy]: undefined,
  [annotation.resumedAt]: isoOf(now),
});

/** What cannot be read, or is not there because the instance is older than this: it does not pause by itself. */
const suspendAfterOf = (value: string | undefined): SuspendAfter =>
  value !== undefined && /^[1-9][0-9]{0,9}$/.test(value) ? Number(value) : 'never';

const dateOf = (value: string | undefined): string | undefined =>
  value === undefined || Number.isNaN(Date.parse(value)) ? undefined : value;

const oneOf = <T extends string>(values: readonly T[], value: string | undefined): T | undefined =>
  values.find((candidate) => candidate === value);

/** It runs, or is on its way to; a paused one does neither. */
export const isToRun = (workload: Pick<Workload, 'replicas'>): boolean => workload.replicas === 1;

/** Of thousands of workloads nearly none has changed since it was read last; one that changes is another object. */
const identities = new WeakMap<Workload, InstanceIdentity>();

/**
 * The instance that a workload is. Undefined for one that merely carries our labels: whoever may write to the runtime could have
 * made it by hand, and what cannot be understood must not be shown or opened. An unreadable visibility counts as PRIVATE.
 */
export function identityOf(workload: Workload): InstanceIdentity | undefined {
  const known = identities.get(workload);
  if (known !== undefined) return known;
  const identity = readIdentity(workload);
  if (identity !== undefined) identities.set(workload, identity);
  return identity;
}

function readIdentity(workload: Workload): InstanceIdentity | undefined {
  const read = (key: string): string | undefined => workload.annotations[key];
  const id = workload.labels[labels.instance];
  const appId = workload.labels[labels.app];
  const owner = read(annotation.owner);
  if (id === undefined || appId === undefined || owner === undefined || owner === '') return undefined;
  if (workload.labels[labels.kind] !== kind || workload.name !== workloadNameOf(id)) return undefined;
  const name = read(annotation.appName) ?? appId;
  const createdAt = read(annotation.createdAt) ?? workload.createdAt;
  const suspendAfter = suspendAfterOf(read(annotation.suspendAfter));
  const counts = workload.replicas === 1 && suspendAfter !== 'never';
  return {
    id,
    app: {
      id: appId,
      name,
      version: read(annotation.appVersion) ?? '',
      title: read(annotation.appTitle) ?? name,
      mode: oneOf(['wave', 'python'], read(annotation.appMode)) ?? 'wave',
      owner: read(annotation.appOwner) ?? '',
    },
    owner: { subject: owner, username: read(annotation.ownerUsername) ?? owner },
    visibility: oneOf(['PRIVATE', 'ALL_USERS', 'PUBLIC'], read(annotation.visibility)) ?? 'PRIVATE',
    routingMode: oneOf(['DOMAIN', 'BASE_URL'], read(annotation.routingMode)) ?? 'DOMAIN',
    oidc: read(annotation.oidc) === 'true',
    createdAt,
    suspendAfter,
    suspendAt: counts ? dateOf(read(annotation.suspendAt)) : undefined,
    pausedBy: oneOf(pausers, read(annotation.pausedBy)),
    resumedAt: dateOf(read(annotation.resumedAt)),
    updatedAt: dateOf(read(annotation.updatedAt)) ?? createdAt,
    keySeed: read(annotation.keySeed),
  };
}
