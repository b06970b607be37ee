import { createHash } from 'node:crypto';
import type { KubeObject } from './objects.ts';

const prefix = 'runtime.haic.io/';

/** Labels of ours, on everything of a workload's. */
export const labelKeys = {
  /** Whose object it is. Without it the object is not ours, whatever else it says. */
  workload: `${prefix}workload`,
  /** Of a volume that is nobody's for now: it can be taken again. */
  kept: `${prefix}kept`,
  /** Of a pod: the template that it was made by. */
  revision: `${prefix}revision`,
} as const;

/** Annotations of ours, on a workload's controller. */
export const annotationKeys = {
  /** The template as it was applied, in JSON, without its secret. */
  template: `${prefix}template`,
  /** Name of the Secret that holds the template's secret; each value has a Secret of its own. */
  secret: `${prefix}secret`,
  /** When the workload was made, where its controller is younger. */
  created: `${prefix}created`,
  /** Set when everything of the workload has been made: before that there is no such workload. */
  complete: `${prefix}complete`,
} as const;

export const isOurs = (key: string): boolean => key.startsWith(prefix);

/** Who writes what, as server-side apply knows it: the template apart from what may change without replacing the pod. */
export const fieldManagers = { template: 'haic', metadata: 'haic-metadata' } as const;

export const containerName = 'main';

export const workloadOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.labels?.[labelKeys.workload];

/** A Service's name must begin with a letter, which a workload's need not. */
export const serviceNameOf = (workload: string): string =>
  /^[a-z]/.test(workload) ? workload : `w${createHash('sha256').update(workload).digest('hex').slice(0, 40)}`;

/** Whether Helm made it, as Helm marks what is of a release. */
export const isRelease = ({ metadata: { labels, annotations, name } }: KubeObject): boolean =>
  labels?.['app.kubernetes.io/managed-by'] === 'Helm' && annotations?.['meta.helm.sh/release-name'] === name;
