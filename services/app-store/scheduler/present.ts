import type { Principal } from '@haic/kit/auth/principal.ts';
import type { RuntimeCapabilities } from '@haic/platform/runtime/port.ts';
import { instanceUrl } from './addresses.ts';
import type { Belongings, Outcome } from './belongings.ts';
import type { InstanceRoute } from './instance-route.ts';
import type { Instance } from './model.ts';
import { mayManage, mayReadLogs, maySetSuspendAfter, mayVisit } from './policy.ts';
import { hasFullAccess, isAdmin } from './roles.ts';

export interface PresentationContext {
  readonly publicUrl: string;
  readonly actor: Principal;
  /** Address of the app's icon, where the catalog still has the app. */
  readonly icon: string | null;
}

export const presentInstance = (instance: Instance, { publicUrl, actor, icon }: PresentationContext) => ({
  id: instance.id,
  app: {
    id: instance.app.id,
    name: instance.app.name,
    version: instance.app.version,
    title: instance.app.title,
    icon,
  },
  owner: instance.owner,
  visibility: instance.visibility,
  status: instance.status,
  reason: instance.reason,
  message: instance.message,
  since: instance.since,
  url: instanceUrl(publicUrl, instance.id, instance.routingMode),
  createdAt: instance.createdAt,
  updatedAt: instance.updatedAt,
  /** Seconds, or `never`. */
  suspendAfter: instance.suspendAfter,
  suspendAt: instance.suspendAt ?? null,
  restartCount: instance.restartCount,
  ...(instance.lastFailure === undefined
    ? {}
    : { lastFailure: { ...instance.lastFailure, exitCode: instance.lastFailure.exitCode ?? null } }),
  stages: instance.stages,
  canManage: mayManage(actor, instance).allowed,
  canSetSuspendAfter: maySetSuspendAfter(actor, instance).allowed,
  canOpen: mayVisit(actor, instance),
  canReadLogs: mayReadLogs(actor, instance).allowed,
});

/** The pod view of `h2o instance status`, in the vendor's words: Running rather than DEPLOYED, CrashLoopBackOff by its name. */
export const presentStatus = (instance: Instance) => ({
  status: podStatus(instance),
  reason: instance.reason,
  message: instance.message,
  exitCode: instance.lastFailure?.exitCode ?? null,
  restartCount: instance.restartCount,
  lastFailure: instance.lastFailure?.message ?? '',
  since: instance.since,
});

function podStatus({ status, reason }: Instance): string {
  switch (status) {
    case 'DEPLOYED':
      return 'Running';
    case 'FAILED':
      return reason || 'Error';
    case 'PENDING':
      return 'Pending';
    case 'STARTING':
      return 'Starting';
    case 'SUSPENDED':
      return 'Paused';
    case 'TERMINATING':
      return 'Terminating';
  }
}

export const presentRoute = (instance: Instance): InstanceRoute => ({
  instanceId: instance.id,
  appId: instance.app.id,
  appTitle: instance.app.title,
  owner: instance.owner.subject,
  visibility: instance.visibility,
  routingMode: instance.routingMode,
  oidc: instance.oidc,
  status: instance.status,
  reason: instance.reason,
  message: instance.message,
  since: instance.since,
  ...(instance.statusEndpoint === undefined ? {} : { statusEndpoint: instance.statusEndpoint }),
  ...(instance.appEndpoint === undefined ? {} : { appEndpoint: instance.appEndpoint }),
});

export interface Environment {
  readonly publicUrl: string;
  readonly issuerUrl: string;
  readonly platformClientId: string;
  readonly cliClientId: string;
  readonly tokenEndpoint: string;
}

export const presentMe = (actor: Principal, isolation: RuntimeCapabilities, environment: Environment) => ({
  subject: actor.subject,
  username: actor.username,
  name: actor.name ?? actor.username,
  email: actor.email ?? '',
  roles: actor.roles,
  groups: actor.groups,
  isAdmin: isAdmin(actor.roles),
  fullAccess: hasFullAccess(actor.roles),
  isolation,
  environment,
});

export const presentBelongings = ({ apps, instances, running }: Belongings) => ({
  apps: apps.map(({ id, visibility, manifest: { name, version, title } }) => ({
    id,
    name,
    version,
    title,
    visibility,
  })),
  instances: instances.map(({ id, app, status, visibility }) => ({
    id,
    app: { id: app.id, name: app.name, version: app.version, title: app.title },
    status,
    visibility,
  })),
  running,
});

export const presentOutcome = ({ id, problem }: Outcome) => ({
  id,
  ...(problem === undefined ? {} : { problem }),
});
