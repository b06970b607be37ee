import type { PodTemplate, WorkloadSpec } from '../../port.ts';
import { defaultUid, gpuResourceOf, type KubernetesRuntimeOptions } from '../options.ts';

type Metadata = Pick<WorkloadSpec, 'labels' | 'annotations' | 'replicas'>;

/** Values of the chart `wave-app`: all that is known of an instance, but for the values of its secret. */
export interface ChartValues extends Metadata {
  readonly image: {
    readonly reference: string;
    readonly uid: number;
    readonly pullPolicy: string;
    readonly pullSecrets: readonly string[];
  };
  readonly secretName: string;
  readonly createClaims: boolean;
  readonly gpuResource: string;
  readonly template: Omit<PodTemplate, 'secret'>;
}

export function valuesOf(
  { labels, annotations, replicas }: Metadata,
  template: Omit<PodTemplate, 'secret'>,
  secretName: string | undefined,
  options: KubernetesRuntimeOptions,
): ChartValues {
  const image = options.images[template.image];
  if (image === undefined) throw new Error(`There is no image ${template.image}.`);
  return {
    labels,
    annotations,
    replicas,
    image: {
      reference: image.reference,
      uid: image.uid ?? defaultUid,
      pullPolicy: options.imagePullPolicy ?? 'IfNotPresent',
      pullSecrets: options.imagePullSecrets ?? [],
    },
    secretName: secretName ?? '',
    // Volumes are taken before: one that is another workload's must not be touched.
    createClaims: false,
    gpuResource: gpuResourceOf(options),
    template,
  };
}
