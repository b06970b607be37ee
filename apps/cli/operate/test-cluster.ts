import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings, type ServerSettings } from '@haic/server/settings.ts';
import { startCluster } from '@haic/test-cluster/cluster.ts';
import { ensureDefinitions } from '@haic/test-cluster/definitions.ts';
import { ensureToolsImage } from '@haic/test-cluster/tools-image.ts';
import { ensureTraefikImage } from '@haic/test-cluster/traefik.ts';
import { networkOf } from '../images/assemble.ts';
import { imageNames } from '../images/images.ts';
import { ensureTestImage, type TestImageOptions } from '../images/test-image.ts';
import { step } from '../terminal.ts';

/** What a cluster's images are made by: of this installation's settings. */
export const makingOf = (
  settings: ServerSettings,
  tell: (detail: string) => void,
  signal: AbortSignal,
): TestImageOptions => ({
  cacheDirectory: settings.cache,
  network: networkOf(settings),
  tell,
  signal,
});

/** The images that a cluster begins with, made when they are not there yet, and what its API is told of others' resources. */
export async function ensureClusterImages(
  { haicImages, ingress }: { readonly haicImages: boolean; readonly ingress: boolean },
  making: TestImageOptions,
): Promise<readonly string[]> {
  const images = [await ensureToolsImage(making.cacheDirectory, making.signal)];
  await ensureDefinitions(making);
  if (ingress) images.push(await ensureTraefikImage(making));
  for (const name of haicImages ? imageNames : []) images.push(await ensureTestImage(name, making));
  return images;
}

/** Runs the command in the network of a cluster that is started for it and ended after it. Returns what `run` does. */
export async function inTestCluster<T>(
  words: readonly string[],
  contents: { readonly haicImages: boolean; readonly ingress: boolean },
  run: (command: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const settings = readSettings(process.env);
  const signal = deadline(60 * 60_000);
  const cluster = await step('Test cluster', async (tell) => {
    const making = makingOf(settings, tell, signal);
    const images = await ensureClusterImages(contents, making);
    return startCluster({ ...making, name: `tests-${process.pid}`, images, tied: true });
  });
  try {
    const { command, args, env } = cluster.command(words);
    return await run(command, args, { ...env, HAIC_CACHE: settings.cache });
  } finally {
    await cluster.stop();
  }
}
