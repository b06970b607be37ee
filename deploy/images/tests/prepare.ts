import process from 'node:process';
import { imageNames } from '@haic/cli/images/images.ts';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings } from '@haic/server/settings.ts';
import { ensureBases } from './bases.ts';
import { buildImage } from './builds.ts';
import { startEngine } from './engine.ts';

/** Builds the images once, so that tests find the layers. */
const options = {
  cacheDirectory: readSettings(process.env).cache,
  tell: () => undefined,
  signal: deadline(40 * 60_000),
};
const engine = await startEngine(options);
try {
  await ensureBases(engine, { ...options, helm: 'built before' });
  for (const name of imageNames) await buildImage(engine, name);
  // Those of earlier sources, whose names these have now.
  await engine.docker('image', 'prune', '--force');
} finally {
  await engine.stop();
}
