import { randomUUID } from 'node:crypto';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, forbidden, messageOf, notFound } from '@haic/kit/errors.ts';
import { keyReused } from '@haic/kit/http/idempotency/hook.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime, WorkloadSpec } from '@haic/platform/runtime/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { App, CatalogClient, Visibility } from '../catalog/client.ts';
import { instanceUrl } from './addresses.ts';
import type { createSecretsOfInstances } from './app-secrets.ts';
import { createHandOver } from './hand-over.ts';
import type { InstanceQuery, Place } from './instance-index.ts';
import type { Instances } from './instances.ts';
import {
  type Instance,
  type InstanceIdentity,
  isToRun,
  type SuspendAfter,
  suspendAtOf,
  visibilityAnnotation,
  workloadNameOf,
} from './model.ts';
import { createPausing } from './pausing.ts';
import { enforce, mayManage, mayReadLogs, mayRun, maySee, mayVisit } from './policy.ts';
import { readdress } from './readdress.ts';
import { createRedeploy } from './redeploy.ts';
import { hasFullAccess } from './roles.ts';
import type { Start, Starting } from './starting/port.ts';
import {
  type AppClientCredentials,
  launcherConfigOf,
  postLogoutRedirectUriOf,
  redirectUriOf,
  workloadOf,
} from './template.ts';
import type { TemplateSettings } from './template-settings.ts';
import { createTurns } from './turns.ts';

export interface InstanceLimits {
  /** Instances that a person with full access may have at a time. */
  readonly fullAccess: number;
  readonly visitor: number;
}

export interface ServiceOptions {
  readonly runtime: Runtime;
  readonly catalog: CatalogClient;
  readonly identity: IdentityClient;
  readonly instances: Instances;
  readonly starting: Starting;
  readonly secrets: Pick<ReturnType<typeof createSecretsOfInstances>, 'check'>;
  readonly template: TemplateSettings;
  readonly limits: InstanceLimits;
  /** For apps that name no InstanceTimeout. */
  readonly suspendAfter: SuspendAfter;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface ListQuery {
  /** Other people's too. */
  readonly all: boolean;
  readonly appId?: string | undefined;
  /** Only of this user name. */
  readonly username?: string | undefined;
  readonly isWanted?: (instance: Instance) => boolean;
  /** From the first behind it. */
  readonly behind?: Place | undefined;
  readonly most: number;
}

export interface AppUsage {
  readonly appId: string;
  readonly instances: number;
  readonly running: number;
  /** ISO 8601; null when it has no instance. */
  readonly lastStartedAt: string | null;
}

const unused = (appId: string): AppUsage => ({ appId, instances: 0, running: 0, lastStartedAt: null });

/** As long as the vendor's own store waits (WriteTimeoutSeconds). Not tied to the caller: who hangs up does not undo half. */
const writeDeadlineMs = 300_000;
const writeSignal = () => AbortSignal.timeout(writeDeadlineMs);

export type InstanceService = ReturnType<typeof createInstanceService>;

/** What can be done with instances. The runtime is asked each time: what it says is what is so. */
export function createInstanceService(options: ServiceOptions) {
  const { runtime, catalog, identity, starting, logger } = options;

  /** Without a look at who asks. */
  async function find(id: string): Promise<Instance | undefined> {
    const workload = await runtime.get(workloadNameOf(id));
    return workload === undefined ? undefined : options.instances.of(workload);
  }

  async function load(id: string): Promise<Instance> {
    const instance = await find(id);
    if (instance === undefined) throw notFound(`The instance ${id}`);
    return instance;
  }

  async function get(actor: Principal, id: string): Promise<Instance> {
    const instance = await load(id);
    enforce(maySee(actor, instance), `The instance ${id}`);
    return instance;
  }

  /** The newest first, no more than `most` of them. */
  async function list(actor: Principal, query: ListQuery): Promise<Instance[]> {
    const { all, appId, username, isWanted = () => true, behind, most } = query;
    const owner = all ? undefined : actor.subject;
    const found: Instance[] = [];
    for (const { instance } of await options.instances.inOrder({ owner, username, appId }, behind)) {
      if (!maySee(actor, instance).allowed || !isWanted(instance)) continue;
      found.push(instance);
      if (found.length === most) break;
    }
    return found;
  }

  /** What MANAGED apps are visited by: the newest that runs, else the newest that is on its way and shows how far it is. */
  async function newestToVisit(actor: Principal, appId: string): Promise<Instance | undefined> {
    let onItsWay: Instance | undefined;
    for (const { instance } of await options.instances.inOrder({ appId })) {
      if (!maySee(actor, instance).allowed || !mayVisit(actor, instance)) continue;
      if (instance.status === 'DEPLOYED') return instance;
      if (instance.status === 'STARTING' || instance.status === 'PENDING') onItsWay ??= instance;
    }
    return onItsWay;
  }

  /** Of each app, of the instances of it that the actor may see. */
  async function usageOf(actor: Principal, appIds: readonly string[]): Promise<AppUsage[]> {
    const usage: AppUsage[] = [];
    for (const appId of appIds) {
      let sum = unused(appId);
      for (const { workload, instance } of await options.instances.inOrder({ appId })) {
        if (!maySee(actor, instance).allowed) continue;
        const startedAt = instance.resumedAt ?? instance.createdAt;
        sum = {
          appId,
          instances: sum.instances + 1,
          running: sum.running + (isToRun(workload) ? 1 : 0),
          lastStartedAt: startedAt > (sum.lastStartedAt ?? '') ? startedAt : sum.lastStartedAt,
        };
      }
      usage.push(sum);
    }
    return usage;
  }

  /** `id` is the new instance's. Where it exists, an earlier try made it and died before it could say so. */
  async function run(
    actor: Principal,
    appId: string,
    visibility: Visibility,
    id: string = randomUUID(),
  ): Promise<Instance> {
    const made = await find(id);
    if (made?.owner.subject === actor.subject && made.app.id === appId) return made;
    if (made !== undefined) throw keyReused();
    const begun = await starting.begin(id, { appId, owner: actor.subject });
    // That is put right by time alone, and must be no error of a start that is done.
    const countsOn = (failure: unknown) =>
      logger.warn(`A start counts for some minutes more than it should (${messageOf(failure)}).`);
    try {
      const instance = await runBegun(actor, { appId, visibility, id }, begun);
      await begun.made().catch(countsOn);
      return instance;
    } catch (error) {
      await begun.failed().catch(countsOn);
      throw error;
    }
  }

  async function runBegun(
    actor: Principal,
    { appId, visibility, id }: { appId: string; visibility: Visibility; id: string },
    begun: Start,
  ): Promise<Instance> {
    const app = await catalog.getApp(appId);
    if (app === undefined) throw notFound(`The app ${appId}`);
    enforce(mayRun(actor, app, catalog.accessOf(actor, app)), `The app ${appId}`);
    const instance = newInstance(id, app, actor, { visibility, ...options, now: options.now() });
    // What the app asks for and cannot have is said before anything is made.
    launcherConfigOf(app, instance, placeholderClient, options.template);
    await options.secrets.check(app, actor);
    await checkLimit(actor, begun);
    // A token outlives its person by minutes, and what they own stops at once.
    if ((await identity.activeAmong([actor.subject])).length === 0)
      throw forbidden('person_unavailable', 'This account is disabled or gone.');
    await start(app, instance);
    return load(id);
  }

  async function checkLimit(actor: Principal, begun: Start): Promise<void> {
    const limit = hasFullAccess(actor.roles) ? options.limits.fullAccess : options.limits.visitor;
    const ids = await idsOf({ owner: actor.subject });
    if (ids.length + (await begun.before(ids)) >= limit)
      throw conflict(
        'instance_limit_reached',
        `You have ${ids.length} instances, and ${limit} is the most you may have. Terminate one that you no longer need.`,
      );
  }

  async function start(app: App, instance: InstanceIdentity): Promise<void> {
    const client = await registerClient(instance);
    try {
      const spec: WorkloadSpec = workloadOf(app, instance, client, options.template);
      await runtime.apply(spec, { signal: writeSignal() });
    } catch (error) {
      await undoStart(instance.id);
      throw error;
    }
  }

  function registerClient(instance: InstanceIdentity): Promise<AppClientCredentials> {
    const url = instanceUrl(options.template.publicUrl, instance.id, instance.routingMode);
    return identity.registerAppClient({
      instanceId: instance.id,
      appId: instance.app.id,
      redirectUri: redirectUriOf(url),
      postLogoutRedirectUri: postLogoutRedirectUriOf(options.template.publicUrl),
      name: instance.app.title,
    });
  }

  /** Removes whatever a failed start left behind; what cannot be removed now is found by the sweep. */
  async function undoStart(id: string): Promise<void> {
    await runtime
      .remove(workloadNameOf(id), { volumes: 'delete', signal: writeSignal() })
      .catch((error: unknown) =>
        logger.error({ err: error, instance: id }, 'A failed start left a workload.'),
      );
    await removeClient(id);
  }

  async function removeClient(id: string): Promise<void> {
    await identity.removeAppClient(id).catch((error: unknown) => {
      logger.warn(
        `The client of instance ${id} could not be removed now (${messageOf(error)}); it is swept later.`,
      );
    });
  }

  async function setVisibility(actor: Principal, id: string, visibility: Visibility): Promise<Instance> {
    enforce(mayManage(actor, await load(id)), `The instance ${id}`);
    await runtime.patch(
      workloadNameOf(id),
      { annotations: visibilityAnnotation(visibility, options.now()) },
      { signal: writeSignal() },
    );
    return load(id);
  }

  async function terminate(actor: Principal, id: string): Promise<void> {
    enforce(mayManage(actor, await load(id)), `The instance ${id}`);
    await runtime.remove(workloadNameOf(id), { volumes: 'delete', signal: writeSignal() });
    await starting.forget(id);
    await removeClient(id);
  }

  async function getForLogs(actor: Principal, id: string): Promise<Instance> {
    const instance = await load(id);
    enforce(mayReadLogs(actor, instance), `The instance ${id}`);
    return instance;
  }

  async function instancesOf(appId: string): Promise<number> {
    const known = await idsOf({ appId });
    return known.length + (await starting.countOf(appId, known));
  }

  const idsOf = async (query: InstanceQuery): Promise<string[]> =>
    [...(await options.instances.inOrder(query))].map(({ instance }) => instance.id);

  const inTurn = createTurns();
  const shared = { runtime, identity, inTurn, load, now: options.now, writeSignal, logger };
  const pausing = createPausing(shared);
  const redeploying = createRedeploy({ ...shared, catalog, template: options.template, registerClient });
  const handOver = createHandOver({ ...shared, catalog, template: options.template, registerClient });
  return {
    find,
    get,
    getForLogs,
    list,
    newestToVisit,
    usageOf,
    run,
    setVisibility,
    terminate,
    instancesOf,
    readdress: () => readdress({ runtime, catalog, template: options.template, registerClient, logger }),
    ...pausing,
    ...redeploying,
    ...handOver,
  };
}

const placeholderClient: AppClientCredentials = { clientId: '', clientSecret: '' };

function newInstance(
  id: string,
  app: App,
  actor: Principal,
  choice: { visibility: Visibility; suspendAfter: SuspendAfter; now: number },
): InstanceIdentity {
  const { manifest } = app;
  const suspendAfter = manifest.instanceTimeout ?? choice.suspendAfter;
  const createdAt = new Date(choice.now).toISOString();
  return {
    id,
    app: {
      id: app.id,
      name: manifest.name,
      version: manifest.version,
      title: manifest.title,
      mode: manifest.runtime.mode,
      owner: app.owner.subject,
    },
    owner: { subject: actor.subject, username: actor.username },
    visibility: choice.visibility,
    routingMode: manifest.runtime.routingMode,
    oidc: manifest.runtime.oidc,
    createdAt,
    suspendAfter,
    suspendAt: suspendAtOf(suspendAfter, choice.now),
    pausedBy: undefined,
    resumedAt: undefined,
    updatedAt: createdAt,
    keySeed: undefined,
  };
}
