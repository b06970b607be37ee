import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings } from '@haic/server/settings.ts';
import { startCluster } from '@haic/test-cluster/cluster.ts';
import { ensureDefinitions } from '@haic/test-cluster/definitions.ts';
import { ensureToolsImage } from '@haic/test-cluster/tools-image.ts';
import { ensureTraefikImage } from '@haic/test-cluster/traefik.ts';
import { networkOf } from '../images/assemble.ts';
import { imageNames } from '../images/images.ts';
import { ensureTestImage } from '../images/test-image.ts';
import { step } from '../terminal.ts';

/** Runs the command in the network of a cluster that is started for it and ended after it. Returns what `run` does. */
export async function inTestCluster<T>(
  words: readonly string[],
  { haicImages, ingress }: { readonly haicImages: boolean; readonly ingress: boolean },
  run: (command: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const settings = readSettings(process.env);
  const { cache } = settings;
  const signal = deadline(60 * 60_000);
  const cluster = await step('Test cluster', async (tell) => {
    const images = [await ensureToolsImage(cache, signal)];
    const making = { cacheDirectory: cache, network: networkOf(settings), tell, signal };
    await ensureDefinitions(making);
    if (ingress) images.push(await ensureTraefikImage(making));
    for (const name of haicImages ? imageNames : []) images.push(await ensureTestImage(name, making));
    const name = `tests-${process.pid}`;
    return startCluster({ cacheDirectory: cache, name, images, tied: true, tell, signal });
  });
  try {
    const { command, args, env } = cluster.command(words);
    return await run(command, args, { ...env, HAIC_CACHE: cache });
  } finally {
    await cluster.stop();
  }
}
