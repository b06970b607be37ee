import { fileURLToPath } from 'node:url';

/** Helm as it is on the PATH of whoever runs in a test cluster, with the chart of this tree. */
export const testHelm = {
  program: 'helm',
  chart: fileURLToPath(new URL('../../../../deploy/charts/wave-app', import.meta.url)),
};
