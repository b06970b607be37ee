import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { isConflict, isGone, type KubeApi } from './api.ts';
import { listMetadata } from './metadata-list.ts';
import { annotationKeys, labelKeys, workloadOf } from './names.ts';
import type { KubeObject } from './objects.ts';
import type { KubernetesRuntimeOptions } from './options.ts';
import { collections, controllerOf, type View } from './view.ts';

const everyMs = 3_600_000;
/** What is younger may be somebody's who is just making it. */
const defaultAgeMs = 600_000;

/** Now and then: removes what a process of Haic left half made when it was killed. Nobody had been told that it was there. */
export async function sweepOrphans(
  api: KubeApi,
  view: View,
  { namespace, logger, orphanedAfterMs = defaultAgeMs }: KubernetesRuntimeOptions,
  signal: AbortSignal,
): Promise<void> {
  const paths = collections(namespace);
  const isOld = ({ metadata }: KubeObject) =>
    Date.now() - Date.parse(metadata.creationTimestamp) >= orphanedAfterMs;

  async function remove(
    path: string,
    { metadata: { name, uid, resourceVersion } }: KubeObject,
  ): Promise<void> {
    // Unless somebody has gone on with it meanwhile.
    const body = { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } };
    logger.warn(`${path}/${name} was left half made and is removed.`);
    await api.json({ method: 'DELETE', path: `${path}/${name}`, body, signal }).catch((error) => {
      if (!isGone(error) && !isConflict(error)) throw error;
    });
  }

  const isComplete = ({ metadata }: KubeObject) =>
    metadata.annotations?.[annotationKeys.complete] !== undefined;

  /** Killed when it had only to be given to its controller: something runs by it. */
  function isInUse(secret: KubeObject): boolean {
    const controller = controllerOf(view, workloadOf(secret) ?? '');
    const name = controller?.metadata.annotations?.[annotationKeys.secret];
    return controller !== undefined && isComplete(controller) && name === secret.metadata.name;
  }

  async function sweep(): Promise<void> {
    for await (const secret of listMetadata(api, paths.secrets, labelKeys.workload, signal))
      if (secret.metadata.ownerReferences === undefined && isOld(secret) && !isInUse(secret))
        await remove(paths.secrets, secret);
    for (const [path, controllers] of [
      [paths.deployments, view.deployments.all()],
      [paths.jobs, view.jobs.all()],
    ] as const)
      for (const controller of controllers)
        if (!isComplete(controller) && isOld(controller)) await remove(path, controller);
  }

  while (!signal.aborted) {
    await sweep().catch((error) => {
      if (!signal.aborted) logger.warn(`What is left half made could not be looked for: ${messageOf(error)}`);
    });
    await sleep(everyMs, signal).catch(() => {});
  }
}
