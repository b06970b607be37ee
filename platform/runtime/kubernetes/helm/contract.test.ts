import { runtimeContract } from '../../contract.ts';
import { makeNamespace } from '../testing.ts';
import { testHelm } from './testing.ts';

runtimeContract('kubernetes, by Helm', async () => {
  const made = await makeNamespace();
  const runtime = await made.start({ helm: testHelm });
  return { runtime, image: 'system', patienceMs: 60_000, stop: () => made.destroy() };
});
