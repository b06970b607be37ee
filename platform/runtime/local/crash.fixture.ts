import { createLogger } from '@haic/kit/logging.ts';
import type { WorkloadSpec } from '../port.ts';
import { createLocalRuntime } from './runtime.ts';

/** A platform that is to be killed: starts the runtime of the options in argv, applies the specifications, then waits for its end. */
const { options, specs } = JSON.parse(process.argv[2] ?? '') as {
  options: Omit<Parameters<typeof createLocalRuntime>[0], 'logger'>;
  specs: WorkloadSpec[];
};
const runtime = await createLocalRuntime({ ...options, logger: createLogger('runtime', 'silent') });
const signal = AbortSignal.timeout(60_000);
process.stdout.write('runtime\n');
for (const spec of specs) {
  await runtime.apply(spec, { signal });
  process.stdout.write(`acknowledged ${spec.name}\n`);
}
setInterval(() => {}, 1_000_000);
