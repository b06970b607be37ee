import type { Logger } from '@haic/kit/logging.ts';

/** What an image of the port is in a cluster. */
export interface ClusterImage {
  /** As a pod names it; pinned by a digest wherever a registry is asked. */
  readonly reference: string;
  /** Other than root; default 10001. The group has the same number. */
  readonly uid?: number;
}

export interface KubernetesRuntimeOptions {
  /** Path of a kubeconfig; without it the service account of the pod that Haic itself runs in. */
  readonly kubeconfig?: string;
  /** The only namespace that is touched. It has to be there. */
  readonly namespace: string;
  readonly images: Readonly<Record<string, ClusterImage>>;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** Names of Secrets in the namespace. */
  readonly imagePullSecrets?: readonly string[];
  /** Default: the cluster's own default. */
  readonly storageClass?: string;
  /** Of a persistent volume that asks for no size; default 10 GiB. */
  readonly volumeBytes?: number;
  /** What a GPU is called here; default `nvidia.com/gpu`. */
  readonly gpuResource?: string;
  /** With it, what goes on is a release of the chart; jobs and what was made without it are written by the API. */
  readonly helm?: {
    /** Path of the program, of major version 3. */
    readonly program: string;
    /** Path of the chart `wave-app`. */
    readonly chart: string;
    /** Age at which a change that is not done is taken back, as its `helm` was killed; default 2 minutes. */
    readonly abandonedAfterMs?: number;
  };
  readonly logger: Logger;
  /** How often everything is listed anew, whatever watches say; default 10 minutes. */
  readonly resyncMs?: number;
  /** Age at which what a killed process has left half made is removed; default 10 minutes. */
  readonly orphanedAfterMs?: number;
}

export const defaultUid = 10_001;
export const gpuResourceOf = ({ gpuResource = 'nvidia.com/gpu' }: KubernetesRuntimeOptions): string =>
  gpuResource;
