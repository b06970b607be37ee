import { cp, glob, mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ServerSettings } from '@haic/server/settings.ts';
import { ensureUv, type Network } from '@haic/services/environments/uv.ts';
import { buildImagePrograms, buildPortal } from '../installation/build.ts';
import { buildH2o } from '../installation/build-h2o.ts';
import { home, type ImageName } from './images.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface AssembleOptions {
  readonly image: ImageName;
  /** Folder that becomes the image's `/`, beside what its base has. */
  readonly target: string;
  readonly cacheDirectory: string;
  /** The `helm` program, of which the platform's image gets a copy. */
  readonly helm: string | undefined;
  readonly network?: Network;
  readonly signal: AbortSignal;
}

/** How the package index is reached, as the settings say. */
export const networkOf = (
  settings: Pick<ServerSettings, 'pythonIndex' | 'httpProxy' | 'caFile'>,
): Network => ({
  ...(settings.pythonIndex === undefined ? {} : { pypiIndex: settings.pythonIndex }),
  ...(settings.httpProxy === undefined ? {} : { httpProxy: settings.httpProxy }),
  ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
});

/** All files of Haic's in an image: the one list, for the Dockerfiles and for images of tests alike. */
export async function assemble(options: AssembleOptions): Promise<void> {
  await program(process.execPath, options.target, 'node');
  await copy('LICENSE', options.target);
  await (options.image === 'platform' ? assemblePlatform(options) : assembleAppRuntime(options));
}

async function assemblePlatform({ target, cacheDirectory, helm }: AssembleOptions): Promise<void> {
  if (helm === undefined) throw new Error('The image of the platform needs the program helm.');
  await program(helm, target, 'helm');
  const below = (name: string) => path.join(target, home, name);
  await buildImagePrograms('platform', below('programs'), home);
  await buildH2o(below('bin/h2o'));
  await cp(await buildPortal(cacheDirectory), below('portal'), { recursive: true });
  for await (const file of glob(filesBesidePrograms, { cwd: root })) await copy(file, target);
}

/** What programs read where their sources would be. */
const filesBesidePrograms = [
  '{kit,platform,services}/**/migrations/*.sql',
  'deploy/charts/wave-app/{Chart.yaml,values.yaml,values.schema.json}',
  'deploy/charts/wave-app/templates/*',
];

async function assembleAppRuntime(options: AssembleOptions): Promise<void> {
  const { target, cacheDirectory, network, signal } = options;
  const uv = await ensureUv({ cacheDirectory, ...(network === undefined ? {} : { network }), signal });
  await program(uv.path, target, 'uv');
  await buildImagePrograms('sandbox', path.join(target, home, 'assets'), home);
}

async function program(from: string, target: string, name: string): Promise<void> {
  const to = path.join(target, 'usr/local/bin', name);
  await mkdir(path.dirname(to), { recursive: true });
  await cp(from, to, { dereference: true });
}

async function copy(file: string, target: string): Promise<void> {
  const to = path.join(target, home, file);
  await mkdir(path.dirname(to), { recursive: true });
  await cp(path.join(root, file), to);
}
