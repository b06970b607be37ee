import { randomBytes } from 'node:crypto';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, invalid, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { IdentityClient, IdentityPerson } from '@haic/services/identity/client.ts';
import type { App, CatalogClient } from '../catalog/client.ts';
import {
  appOwnerAnnotation,
  type Instance,
  type InstanceIdentity,
  identityOf,
  instanceSelector,
  instancesOfApp,
  workloadNameOf,
} from './model.ts';
import { enforce, mayHandOver } from './policy.ts';
import { type AppClientCredentials, workloadOf } from './template.ts';
import type { TemplateSettings } from './template-settings.ts';
import type { InTurn } from './turns.ts';

/** Who an instance, and the app of an instance, belongs to from now on. */
export interface HandOver {
  /** Gives a paused instance of somebody who may not sign in to `username`. For administrators. */
  handOver(actor: Principal, id: string, username: string): Promise<Instance>;
  /** The app belongs to somebody else: its instances say so, since the app's owner sees their logs. */
  followApp(appId: string, owner: string): Promise<void>;
  /** The same for every app, by what the catalog says: what a crash kept `followApp` from. */
  followApps(): Promise<void>;
}

export function createHandOver(options: {
  readonly runtime: Runtime;
  readonly identity: IdentityClient;
  readonly catalog: CatalogClient;
  readonly template: TemplateSettings;
  readonly inTurn: InTurn;
  readonly load: (id: string) => Promise<Instance>;
  readonly registerClient: (instance: InstanceIdentity) => Promise<AppClientCredentials>;
  readonly now: () => number;
  readonly writeSignal: () => AbortSignal;
  readonly logger: Logger;
}): HandOver {
  const { runtime, identity, catalog, logger } = options;

  /**
   * The specification is made anew, because it holds what is the owner's: the name that the app is told, the key, the client's secret.
   * One `apply` changes all of it and who the owner is; killed before, the instance is still the former owner's, and still paused.
   */
  async function give(instance: Instance, app: App, to: IdentityPerson): Promise<void> {
    const handed: InstanceIdentity = {
      ...instance,
      app: { ...instance.app, owner: app.owner.subject },
      owner: { subject: to.subject, username: to.username },
      updatedAt: new Date(options.now()).toISOString(),
      keySeed: randomBytes(16).toString('hex'),
    };
    // Whoever was signed in at the app by the former owner's time signs in again.
    await identity.removeAppClient(instance.id);
    const client = await options.registerClient(handed);
    const spec = workloadOf(app, handed, client, options.template);
    await runtime.apply({ ...spec, replicas: 0 }, { signal: options.writeSignal() });
  }

  async function newOwner(username: string): Promise<IdentityPerson> {
    const person = await identity.findPersonByName(username);
    if (person !== undefined && !person.disabled) return person;
    throw invalid(
      'unsuitable_owner',
      `Nobody of the user name "${username.slice(0, 60)}" may sign in here. Choose somebody who is not disabled.`,
    );
  }

  async function requireEndedOwner({ owner }: Instance): Promise<void> {
    const standing = await identity.standingOf(owner.subject);
    if (standing === 'active')
      throw conflict(
        'owner_active',
        `This instance is ${owner.username}’s, who may sign in and decides over it. Only what belongs to somebody who is disabled or gone is handed over.`,
      );
    if (standing === 'unknown')
      throw conflict(
        'owner_standing_unknown',
        `This instance is ${owner.username}’s, and your sign-in service does not tell Haic whether they may still sign in. It does when the client haic-service-core has the role view-users there.`,
      );
  }

  const nameAppOwner = (id: string, owner: string) =>
    options.inTurn(id, async () => {
      const change = { annotations: appOwnerAnnotation(owner) };
      await runtime.patch(workloadNameOf(id), change, { signal: options.writeSignal() });
    });

  return {
    handOver: (actor, id, username) =>
      options.inTurn(id, async () => {
        const instance = await options.load(id);
        const by = await identity.findPerson(actor.subject);
        enforce(mayHandOver(actor, instance, by), `The instance ${id}`);
        await requireEndedOwner(instance);
        if (instance.status !== 'SUSPENDED')
          throw conflict('not_paused', 'Pause this instance first; then it can be handed over.');
        const to = await newOwner(username);
        const app = await catalog.getApp(instance.app.id);
        if (app === undefined) throw notFound(`The app of the instance ${id}`);
        await give(instance, app, to);
        logger.info(
          { instance: id, from: instance.owner.username, to: to.username, by: actor.username },
          'An instance was handed over.',
        );
        return options.load(id);
      }),

    async followApp(appId, owner) {
      for (const workload of await runtime.list(instancesOfApp(appId))) {
        const instance = identityOf(workload);
        if (instance !== undefined && instance.app.owner !== owner) await nameAppOwner(instance.id, owner);
      }
    },

    async followApps() {
      const instances = (await runtime.list(instanceSelector))
        .map(identityOf)
        .filter((instance) => instance !== undefined);
      const apps = await catalog.getApps([...new Set(instances.map(({ app }) => app.id))]);
      const owners = new Map(apps.map((app) => [app.id, app.owner.subject]));
      for (const { id, app } of instances) {
        const owner = owners.get(app.id);
        if (owner !== undefined && owner !== app.owner) await nameAppOwner(id, owner);
      }
    },
  };
}
