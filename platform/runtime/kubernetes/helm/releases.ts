import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { conflict, forbidden, invalid, unavailable } from '@haic/kit/errors.ts';
import { createPlaces } from '@haic/kit/places.ts';
import type { KubernetesRuntimeOptions } from '../options.ts';
import { explainRefusal } from '../waiting.ts';
import type { ChartValues } from './values.ts';

export type ReleaseStatus =
  | 'deployed'
  | 'failed'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'
  | 'uninstalling';

export interface Release {
  readonly status: ReleaseStatus | string;
  /** ISO 8601. */
  readonly lastDeployed: string;
}

/** The `helm` program on one namespace. */
export interface Releases {
  get(name: string, signal: AbortSignal): Promise<Release | undefined>;
  values(name: string, signal: AbortSignal): Promise<ChartValues>;
  /** Installs or upgrades; does not wait for pods. What fails is rolled back, and thrown with the reason. */
  apply(name: string, values: ChartValues, signal: AbortSignal): Promise<void>;
  uninstall(name: string, signal: AbortSignal): Promise<void>;
  /** Takes back what a killed `helm` has left half done, so that there can be another. */
  recover(name: string, status: string, signal: AbortSignal): Promise<void>;
}

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Each needs some seventy megabytes and most of a second of a core: fifty starts at once must not end the process that they were asked of. */
const programsAtOnce = 4;

export function createReleases(
  options: KubernetesRuntimeOptions,
  helm: NonNullable<KubernetesRuntimeOptions['helm']>,
): Releases {
  const where = ['--namespace', options.namespace];
  const account = options.kubeconfig === undefined ? [] : ['--kubeconfig', options.kubeconfig];
  const inPlace = createPlaces(programsAtOnce);
  const run = (words: readonly string[], signal: AbortSignal, input?: string): Promise<Result> =>
    inPlace(() => runHelm(helm.program, [...words, ...where, ...account], signal, input), signal);

  async function must(words: readonly string[], signal: AbortSignal): Promise<string> {
    const { code, stdout, stderr } = await run(words, signal);
    if (code !== 0) throw explained(stderr);
    return stdout;
  }

  return {
    async get(name, signal) {
      const { code, stdout, stderr } = await run(['status', name, '--output', 'json'], signal);
      if (code !== 0 && /release: not found/.test(stderr)) return undefined;
      if (code !== 0) throw explained(stderr);
      const { info } = JSON.parse(stdout) as { info: { status: string; last_deployed: string } };
      return { status: info.status, lastDeployed: info.last_deployed };
    },
    values: async (name, signal) =>
      JSON.parse(await must(['get', 'values', name, '--output', 'json'], signal)) as ChartValues,
    async apply(name, values, signal) {
      const words = [
        'upgrade',
        '--install',
        name,
        helm.chart,
        '--reset-values',
        '--history-max',
        '5',
        '--values',
        '-',
      ];
      const { code, stderr } = await run(words, signal, JSON.stringify(values));
      if (code === 0) return;
      // Whatever of it was done already is undone; where nothing was there before, nothing stays.
      const failed = await this.get(name, signal);
      if (failed?.status === 'failed') await takeBack(name, signal);
      throw explained(stderr);
    },
    uninstall: async (name, signal) =>
      void (await must(['uninstall', name, '--ignore-not-found', '--cascade', 'foreground'], signal)),
    async recover(name, status, signal) {
      if (status === 'pending-install') await must(['uninstall', name, '--ignore-not-found'], signal);
      else await takeBack(name, signal);
    },
  };

  async function takeBack(name: string, signal: AbortSignal): Promise<void> {
    const history = JSON.parse(await must(['history', name, '--output', 'json'], signal)) as {
      revision: number;
      status: string;
    }[];
    const good = history.filter(({ status }) => status === 'deployed' || status === 'superseded').at(-1);
    if (good === undefined) await must(['uninstall', name, '--ignore-not-found'], signal);
    else await must(['rollback', name, String(good.revision)], signal);
  }
}

/** By which a pod's service account finds its API server. */
const ofPod = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'];

/** `helm` gets nothing else of the platform's environment, and a place of its own for what it keeps. */
async function runHelm(
  program: string,
  words: readonly string[],
  signal: AbortSignal,
  input = '',
): Promise<Result> {
  signal.throwIfAborted();
  const home = await mkdtemp(path.join(tmpdir(), 'haic-helm-'));
  try {
    return await new Promise<Result>((resolve, reject) => {
      const places = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, HOME: home };
      const server = Object.fromEntries(ofPod.map((name) => [name, process.env[name]]));
      const child = spawn(program, words, { env: { PATH: process.env.PATH, ...server, ...places }, signal });
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].setEncoding('utf8').on('data', (chunk: string) => {
          said[stream] += chunk;
        });
      child.once('error', (error) => reject(signal.aborted ? signal.reason : error));
      child.once('close', (code) => resolve({ code, ...said }));
      // A program that ends at once reads nothing.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** What `helm` says on its last lines, as whoever asked for it understands it. */
function explained(stderr: string): Error {
  const text = stderr.trim().replace(/^(Error: )?((INSTALLATION|UPGRADE) FAILED: )?/, '');
  if (/another operation .* is in progress/.test(text))
    return conflict('workload_conflict', 'It is being changed by others just now. Try again in a moment.');
  if (/exists and cannot be imported/.test(text))
    return conflict(
      'workload_conflict',
      `There is something of that name in the cluster that is not Haic's: ${text}`,
    );
  if (/unreachable|connection refused|no such host|timed? ?out/i.test(text))
    return unavailable(
      'runtime_unavailable',
      `The Kubernetes API server cannot be reached. What runs goes on. (${text})`,
    );
  const refusal = explainRefusal(text);
  if (refusal?.reason === 'QuotaExceeded') return forbidden('quota_exceeded', refusal.message);
  if (/forbidden/.test(text))
    return unavailable('runtime_forbidden', `Haic may not do this in the cluster: ${text}`);
  return invalid('invalid_workload', `The cluster does not take it: ${text}`);
}
