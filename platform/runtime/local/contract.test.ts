import { runtimeContract } from '../contract.ts';
import { isRoot, makeInstallation } from './testing.ts';

for (const isolation of isRoot ? (['required', 'none'] as const) : (['none'] as const)) {
  runtimeContract(`local, isolation ${isolation}`, async () => {
    const installation = await makeInstallation({ isolation });
    return { runtime: await installation.start(), image: 'system', stop: () => installation.destroy() };
  });
}
