import { sleep } from '@haic/kit/deadline.ts';
import { conflict, HaicError, invalid, notFound } from '@haic/kit/errors.ts';
import type { WorkloadSpec } from '../../port.ts';
import type { Belongings } from '../belongings.ts';
import { type ApiControllers, type Change, type Controllers, changed } from '../controllers.ts';
import { annotationKeys, isRelease } from '../names.ts';
import type { Controller } from '../objects.ts';
import type { KubernetesRuntimeOptions } from '../options.ts';
import { kindFor } from '../render.ts';
import type { Releases } from './releases.ts';
import { valuesOf } from './values.ts';

/** Of a release, by Helm. */
const longestName = 53;
const attempts = 20;
/** A change takes seconds: one that takes so long has lost its `helm`. */
const abandonedAfterMs = 120_000;

/** What goes on is a release of the chart. What ends (jobs), and what was made past Helm, is written by the API as before. */
export function createHelmControllers(context: {
  readonly api: ApiControllers;
  readonly belongings: Belongings;
  readonly releases: Releases;
  readonly options: KubernetesRuntimeOptions;
}): Controllers {
  const { api, belongings, releases, options } = context;
  const turns = createTurns();

  async function applyNow(
    { template: given, ...metadata }: WorkloadSpec,
    existing: Controller | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { secret, ...template } = given;
    const { name } = metadata;
    if (name.length > longestName)
      throw invalid('invalid_workload', `${name} is longer than the ${longestName} characters of a release.`);
    await belongings.takeClaims(name, template, signal);
    const current = existing?.metadata.annotations?.[annotationKeys.secret];
    const secretName = await belongings.secretFor(name, secret, current, signal);
    await release(name, valuesOf(metadata, template, secretName, options), signal);
    const made = await api.read(name, signal);
    if (made === undefined)
      throw conflict('workload_conflict', `${name} was removed by somebody else at the same moment.`);
    await belongings.settle(made, secretName, existing === undefined, signal);
  }

  /** A release that others change at the same moment is waited for; one that nobody goes on with is taken back first. */
  async function release(
    name: string,
    values: Parameters<Releases['apply']>[1],
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await releases.apply(name, values, signal);
      } catch (error) {
        if (!(error instanceof HaicError) || error.code !== 'workload_conflict' || attempt === attempts)
          throw error;
        const found = await releases.get(name, signal);
        if (found !== undefined && isAbandoned(found)) await releases.recover(name, found.status, signal);
        else if (found?.status.startsWith('pending') !== true) throw error;
        else await sleep(500, signal);
      }
    }
  }

  const isAbandoned = ({ status, lastDeployed }: { status: string; lastDeployed: string }): boolean =>
    status.startsWith('pending') &&
    Date.now() - Date.parse(lastDeployed) > (options.helm?.abandonedAfterMs ?? abandonedAfterMs);

  async function patchNow(existing: Controller, change: Change, signal: AbortSignal): Promise<void> {
    const { name } = existing.metadata;
    const { labels, annotations, replicas } = changed(existing, change);
    const values = await releases.values(name, signal);
    await release(name, { ...values, labels, annotations, replicas }, signal);
    await api.read(name, signal);
  }

  return {
    apply: (spec, signal) =>
      turns(spec.name, async () => {
        const existing = await api.read(spec.name, signal);
        const isForApi =
          kindFor(spec.template) !== 'Deployment' || (existing !== undefined && !isRelease(existing));
        await (isForApi ? api.apply(spec, signal) : applyNow(spec, existing, signal));
      }),
    patch: (name, change, signal) =>
      turns(name, async () => {
        const existing = await api.read(name, signal);
        if (existing === undefined) throw notFound(`The workload ${name}`);
        await (isRelease(existing) ? patchNow(existing, change, signal) : api.patch(name, change, signal));
      }),
    remove: (name, volumes, signal) =>
      turns(name, async () => {
        const existing = await api.readLeaving(name, signal);
        if (existing === undefined || !isRelease(existing)) return api.remove(name, volumes, signal);
        await belongings.releaseClaims(name, existing, volumes, signal);
        await releases.uninstall(name, signal);
        await api.untilGone(existing, signal);
      }),
  };
}

/** Changes of one workload by this process happen one after the other: Helm refuses the second. */
function createTurns(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work);
    const done = turn
      .catch(() => {})
      .finally(() => {
        if (last.get(name) === done) last.delete(name);
      });
    last.set(name, done);
    return turn;
  };
}
