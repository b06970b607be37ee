import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime, Workload } from '@haic/platform/runtime/port.ts';
import type { CatalogClient } from '../catalog/client.ts';
import { madeFor, madeForAnnotation } from './made-for.ts';
import { type InstanceIdentity, identityOf, instanceSelector } from './model.ts';
import { type AppClientCredentials, workloadOf } from './template.ts';
import type { TemplateSettings } from './template-settings.ts';

/**
 * Instances that were made for another address of this installation, or for another machine, get their specification and their sign-in
 * client anew. What runs keeps running as it is unless its own address changed: an upgrade ends no app. To be called before the
 * runtime starts anything. Returns how many it were.
 */
export async function readdress(options: {
  readonly runtime: Runtime;
  readonly catalog: CatalogClient;
  readonly template: TemplateSettings;
  readonly registerClient: (instance: InstanceIdentity) => Promise<AppClientCredentials>;
  readonly logger: Logger;
}): Promise<number> {
  const { runtime, catalog, template, logger } = options;
  let changed = 0;
  for (const workload of await runtime.list(instanceSelector)) {
    const instance = identityOf(workload);
    if (instance === undefined || fits(workload, madeFor(template))) continue;
    try {
      const app = await catalog.getApp(instance.app.id);
      if (app === undefined) continue;
      const spec = workloadOf(app, instance, await options.registerClient(instance), template);
      const annotations = { ...workload.annotations, ...spec.annotations };
      await runtime.apply(
        { ...spec, annotations, replicas: workload.replicas },
        { signal: AbortSignal.timeout(30_000) },
      );
      changed += 1;
    } catch (error) {
      logger.warn(`Instance ${instance.id} could not be moved to the new address: ${messageOf(error)}`);
    }
  }
  if (changed > 0) logger.info({ changed }, 'instances made anew for this address');
  return changed;
}

function fits({ annotations, status }: Workload, now: string): boolean {
  const was = annotations[madeForAnnotation];
  if (was === now) return true;
  const runs = ['Starting', 'Running', 'Ready', 'Terminating'].includes(status.phase);
  return runs && (was === undefined || was.split('-')[0] === now.split('-')[0]);
}
