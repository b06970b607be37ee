import { deadline } from '@haic/kit/deadline.ts';
import { unavailable } from '@haic/kit/errors.ts';
import type { Runtime, Workload } from '../port.ts';
import { checkSpec } from '../validate.ts';
import { createWatchHub, matches } from '../watch-hub.ts';
import { connect } from './api.ts';
import { createBelongings } from './belongings.ts';
import { describe } from './capabilities.ts';
import { type Controllers, createControllers } from './controllers.ts';
import { explained } from './errors.ts';
import { createHelmControllers } from './helm/controllers.ts';
import { createReleases } from './helm/releases.ts';
import { readLogs } from './logs.ts';
import { createNews } from './news.ts';
import type { KubernetesRuntimeOptions } from './options.ts';
import { createPresenter } from './present.ts';
import { createReach } from './reach.ts';
import { checkSecretSize } from './secret-size.ts';
import { sweepOrphans } from './sweep.ts';
import { createView } from './view.ts';

export type { ClusterImage, KubernetesRuntimeOptions } from './options.ts';

export interface KubernetesRuntime extends Runtime {
  /** Ends its watches; workloads go on. */
  stop(): Promise<void>;
}

const firstListPatienceMs = 60_000;

/**
 * Workloads in one namespace of a Kubernetes cluster: a Deployment or Job each, with its Service, Secret and volumes. Nothing is kept
 * here: what is shown is read from the cluster, whoever has changed it.
 */
export async function createKubernetesRuntime(options: KubernetesRuntimeOptions): Promise<KubernetesRuntime> {
  const { namespace, logger } = options;
  const api = await connect(options.kubeconfig);
  const stopped = new AbortController();
  const news = createNews();
  const view = createView({
    api,
    namespace,
    resyncMs: options.resyncMs ?? 600_000,
    logger,
    signal: stopped.signal,
    changed,
  });
  const presenter = createPresenter(view, createReach(changed, stopped.signal));
  const hub = createWatchHub({ all, get: presenter.get });
  const belongings = createBelongings(api, view, options);
  const byApi = createControllers({ api, view, belongings, news, options });
  const controllers: Controllers =
    options.helm === undefined
      ? byApi
      : createHelmControllers({
          api: byApi,
          belongings,
          releases: createReleases(options, options.helm),
          options,
        });

  /** Of all that is shown, until something about one of them changes: thousands are asked for by every list. */
  let shown: readonly Workload[] | undefined;

  function changed(name: string): void {
    shown = undefined;
    presenter.changed(name);
    news.changed(name);
    hub.changed(name);
  }

  function all(): readonly Workload[] {
    shown ??= present();
    return shown;
  }

  function present(): readonly Workload[] {
    const found: Workload[] = [];
    for (const { all: controllers } of [view.deployments, view.jobs])
      for (const { metadata } of controllers()) {
        const workload = presenter.get(metadata.name);
        if (workload !== undefined) found.push(workload);
      }
    return found;
  }

  async function change(name: string, work: () => Promise<void>): Promise<Workload> {
    await work().catch((error) => Promise.reject(explained(error)));
    const workload = presenter.get(name);
    if (workload === undefined)
      throw unavailable('runtime_unavailable', `${name} was removed by somebody else at the same moment.`);
    return workload;
  }

  async function stop(): Promise<void> {
    stopped.abort();
    await api.close();
  }

  try {
    await within(view.synced, deadline(firstListPatienceMs));
  } catch (error) {
    await stop();
    throw error;
  }
  void sweepOrphans(api, view, options, stopped.signal);
  return {
    apply: (spec, { signal }) => {
      const copy = structuredClone(spec);
      return change(spec.name, async () => {
        checkSpec(copy, options.images);
        checkSecretSize(copy.template.secret);
        await controllers.apply(copy, signal);
      });
    },
    patch: (name, changes, { signal }) => change(name, () => controllers.patch(name, changes, signal)),
    remove: async (name, { volumes, signal }) =>
      controllers.remove(name, volumes, signal).catch((error) => Promise.reject(explained(error))),
    get: async (name) => presenter.get(name),
    list: async (selector) => all().filter((workload) => matches(workload.labels, selector)),
    watch: (selector, { signal }) => hub.watch(selector, AbortSignal.any([signal, stopped.signal])),
    logs: (name, logOptions) =>
      readLogs({ api, namespace, view, news: news.next }, name, {
        ...logOptions,
        signal: AbortSignal.any([logOptions.signal, stopped.signal]),
      }),
    capabilities: () => describe(view.awaySince()),
    stop,
  };
}

/** Whatever the promise is about goes on when the signal aborts; who waits does not. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const tooLate = new Promise<never>((_, reject) => {
    const error = () =>
      reject(
        unavailable(
          'runtime_unavailable',
          'The Kubernetes API server does not list what runs. Is it reachable, and may Haic?',
        ),
      );
    signal.addEventListener('abort', error, { once: true });
  });
  return Promise.race([promise, tooLate]);
}
