import { runtimeContract } from '../contract.ts';
import { makeNamespace } from './testing.ts';

runtimeContract('kubernetes', async () => {
  const made = await makeNamespace();
  return { runtime: await made.start(), image: 'system', patienceMs: 60_000, stop: () => made.destroy() };
});
