import { invalid } from '@haic/kit/errors.ts';

/** Of a Secret, by Kubernetes. */
const largest = 1_048_576;

export function checkSecretSize(values: Readonly<Record<string, string>>): void {
  const size = Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  if (size > largest)
    throw invalid(
      'invalid_workload',
      'The secret is larger than 1 MiB, which is all that Kubernetes keeps in one.',
    );
}
