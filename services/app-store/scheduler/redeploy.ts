import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { CatalogClient } from '../catalog/client.ts';
import { type Instance, type InstanceIdentity, identityOf, workloadNameOf } from './model.ts';
import { enforce, mayRedeploy } from './policy.ts';
import { type AppClientCredentials, workloadOf } from './template.ts';
import type { TemplateSettings } from './template-settings.ts';
import type { InTurn } from './turns.ts';

/**
 * Gives an instance the specification that a new one of its app would get now: what was set up anew on the server (an image, an index, an
 * authority) reaches what was started before. A running one is replaced if that changes anything; a paused one stays paused.
 */
export function createRedeploy(options: {
  readonly runtime: Runtime;
  readonly catalog: CatalogClient;
  readonly template: TemplateSettings;
  readonly registerClient: (instance: InstanceIdentity) => Promise<AppClientCredentials>;
  readonly inTurn: InTurn;
  /** Without a look at who asks; throws when there is no such instance. */
  readonly load: (id: string) => Promise<Instance>;
  readonly writeSignal: () => AbortSignal;
  readonly logger: Logger;
}) {
  const { runtime, catalog, template, registerClient, inTurn, load, logger } = options;
  return {
    redeploy: (actor: Principal, id: string): Promise<Instance> =>
      inTurn(id, async () => {
        enforce(mayRedeploy(actor, await load(id)), `The instance ${id}`);
        const workload = await runtime.get(workloadNameOf(id));
        const instance = workload && identityOf(workload);
        if (workload === undefined || instance === undefined) throw notFound(`The instance ${id}`);
        if (workload.status.phase === 'Terminating')
          throw conflict(
            'instance_ending',
            'This instance is being stopped; nothing can be changed on it now.',
          );
        const app = await catalog.getApp(instance.app.id);
        if (app === undefined) throw notFound(`The app of the instance ${id}`);
        const spec = workloadOf(app, instance, await registerClient(instance), template);
        const annotations = { ...workload.annotations, ...spec.annotations };
        await runtime.apply(
          { ...spec, annotations, replicas: workload.replicas },
          { signal: options.writeSignal() },
        );
        logger.info({ instance: id, by: actor.username }, 'An instance was redeployed.');
        return load(id);
      }),
  };
}
