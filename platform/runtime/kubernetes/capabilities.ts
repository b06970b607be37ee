import type { RuntimeCapabilities } from '../port.ts';

export function describe(awaySince: Date | undefined): RuntimeCapabilities {
  const away = {
    what: `The Kubernetes API server has not answered since ${awaySince?.toISOString()}; what is shown is how it was then.`,
    remedy: 'What runs goes on. Whoever runs the cluster has to look at its API server.',
  };
  return {
    kind: 'kubernetes',
    isolation: [
      'Every app runs in a pod of its own, with its own processes, network address and temporary files.',
      'No app has privileges, a writable system or access to the Kubernetes API (Pod Security "restricted").',
      'Memory and processors are limited by the cluster, and the namespace by its quotas.',
    ],
    missing: [],
    ...(awaySince === undefined ? {} : { trouble: away }),
  };
}
