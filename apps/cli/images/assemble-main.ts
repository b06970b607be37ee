import process from 'node:process';
import { parseArgs } from 'node:util';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings } from '@haic/server/settings.ts';
import { assemble, networkOf } from './assemble.ts';
import { imageNames } from './images.ts';

/** `node assemble-main.ts platform|app-runtime FOLDER [--helm PROGRAM]`: what the Dockerfiles call. */
const { positionals, values } = parseArgs({ allowPositionals: true, options: { helm: { type: 'string' } } });
const [name, target] = positionals;
const image = imageNames.find((known) => known === name);
if (image === undefined || target === undefined) {
  process.stderr.write(`Usage: assemble-main.ts ${imageNames.join('|')} FOLDER [--helm PROGRAM]\n`);
  process.exit(2);
}
const settings = readSettings(process.env);
await assemble({
  ...{ image, target, helm: values.helm, cacheDirectory: settings.cache },
  network: networkOf(settings),
  signal: deadline(30 * 60_000),
});
