import type { Endpoint, LabelSelector, Workload } from '@haic/platform/runtime/port.ts';
import type { AppMode, RoutingMode, Visibility } from '../catalog/client.ts';
import type { InstanceStatus } from './client.ts';

/** What an instance is: fixed at its start, but for the visibility. Written as labels and annotations of its workload. */
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
  ...visibilityAnnotation(instance.visibility),
  [annotation.routingMode]: instance.routingMode,
  [annotation.oidc]: String(instance.oidc),
  [annotation.createdAt]: instance.createdAt,
});

export const visibilityAnnotation = (visibility: Visibility): Record<string, string> => ({
  [annotation.visibility]: visibility,
});

const oneOf = <T extends string>(values: readonly T[], value: string | undefined): T | undefined =>
  values.find((candidate) => candidate === value);

/**
 * The instance that a workload is. Undefined for one that merely carries our labels: whoever may write to the runtime could have
 * made it by hand, and what cannot be understood must not be shown or opened. An unreadable visibility counts as PRIVATE.
 */
export function identityOf(workload: Workload): InstanceIdentity | undefined {
  const read = (key: string): string | undefined => workload.annotations[key];
  const id = workload.labels[labels.instance];
  const appId = workload.labels[labels.app];
  const owner = read(annotation.owner);
  if (id === undefined || appId === undefined || owner === undefined || owner === '') return undefined;
  if (workload.labels[labels.kind] !== kind || workload.name !== workloadNameOf(id)) return undefined;
  const name = read(annotation.appName) ?? appId;
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
    createdAt: read(annotation.createdAt) ?? workload.createdAt,
  };
}
