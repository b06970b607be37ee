import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { downloadWheels, type Network } from '@haic/services/environments/uv.ts';
import { ensureBinaries } from '@haic/test-cluster/binaries.ts';
import { writeImage } from '@haic/test-cluster/image.ts';
import { ensureRootFilesystem } from '@haic/test-cluster/root-filesystem.ts';
import { isThere } from '@haic/test-cluster/run.ts';
import { imagesId } from '../installation/build-id.ts';
import { assemble } from './assemble.ts';
import { type ImageName, images, imageUid } from './images.ts';
import { writeIndex } from './wheel-index.ts';

export interface TestImageOptions {
  readonly cacheDirectory: string;
  readonly network?: Network;
  /** How far it is, in a few words. */
  readonly tell: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** As pods of the test cluster name them. */
export const testImage = (name: ImageName): string => `localhost/haic-${name}:test`;
/** Where the image of apps has what the samples need of PyPI: pods of the test cluster reach nothing outside. */
export const wheelhouse = 'opt/haic/wheelhouse';
export const testIndex = `file:///${wheelhouse}/simple`;

const wheelLock = fileURLToPath(new URL('./wheelhouse.txt', import.meta.url));

/** What a minimal Debian has of what the images need; the Dockerfiles have it from their base. */
const base = [
  ...['base-files', 'libc6', 'libgcc-s1', 'dash', 'coreutils', 'zlib1g', 'libcrypt1', 'libtinfo6'],
  ...['libacl1', 'libattr1', 'libselinux1', 'libpcre2-8-0', 'libgmp10', 'libssl3'],
];
/** What the packages of an image bring along. */
const broughtBy: Readonly<Record<string, readonly string[]>> = {
  python3: [
    ...['python3-minimal', 'python3.11', 'python3.11-minimal', 'libpython3-stdlib', 'media-types'],
    ...['libpython3.11-minimal', 'libpython3.11-stdlib', 'libexpat1', 'libffi8', 'libbz2-1.0', 'liblzma5'],
    ...['libsqlite3-0', 'libuuid1', 'libncursesw6', 'libreadline8', 'libdb5.3', 'libnsl2', 'libtirpc3'],
    ...['libgssapi-krb5-2', 'libk5crypto3', 'libkrb5-3', 'libkrb5support0', 'libkeyutils1', 'libcom-err2'],
  ],
};

/** The contents of an image as a file that the test cluster imports, made once for the same sources: no registry, no builder. */
export async function ensureTestImage(name: ImageName, options: TestImageOptions): Promise<string> {
  const { cacheDirectory, tell, signal } = options;
  const id = createHash('sha256')
    .update(await imagesId())
    .update(await readFile(wheelLock))
    .update(JSON.stringify([images[name], base, broughtBy]))
    .digest('hex');
  const file = path.join(cacheDirectory, 'test-cluster', `haic-${name}-${id.slice(0, 16)}.tar`);
  if (await isThere(file)) return file;
  tell(`making the image ${name}`);
  const { packages, entrypoint, env } = images[name];
  const debian = await ensureRootFilesystem({
    packages: [...base, ...packages, ...packages.flatMap((each) => broughtBy[each] ?? [])],
    cacheDirectory,
    signal,
  });
  const root = await mkdtemp(path.join(tmpdir(), 'haic-image-root-'));
  try {
    await cp(debian, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    const helm =
      name === 'platform'
        ? path.join(await ensureBinaries({ cacheDirectory, tell, signal }), 'helm')
        : undefined;
    await assemble({ ...options, image: name, target: root, helm });
    if (name === 'app-runtime') await writeWheelhouse(path.join(root, wheelhouse), options);
    // What `mkdtemp` made is for root alone, and becomes `/`.
    await chmod(root, 0o755);
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    await writeImage(
      `${file}.${process.pid}`,
      { reference: testImage(name), entrypoint, env: variables, user: `${imageUid}:${imageUid}`, root },
      signal,
    );
    await rename(`${file}.${process.pid}`, file);
    await forgetOld(path.dirname(file), `haic-${name}-`);
    return file;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** They are large, and each change of the sources makes new ones. */
const kept = 3;

async function forgetOld(folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith('.tar'));
  const files = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      return { file, at: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  for (const { file } of files.sort((a, b) => b.at - a.at).slice(kept)) await rm(file, { force: true });
}

/** What the samples need of PyPI, fetched once for the same lock file, as an index of files. */
export async function writeWheelhouse(target: string, options: TestImageOptions): Promise<void> {
  const { cacheDirectory, network, signal } = options;
  const key = createHash('sha256')
    .update(await readFile(wheelLock))
    .digest('hex')
    .slice(0, 16);
  const wheels = path.join(cacheDirectory, 'test-cluster', `wheels-${key}`);
  if (!(await isThere(wheels))) {
    const staging = `${wheels}.${process.pid}`;
    await mkdir(staging, { recursive: true });
    await downloadWheels({ lockFile: wheelLock, folder: staging, ...(network && { network }), signal });
    await rename(staging, wheels).catch(() => rm(staging, { recursive: true, force: true }));
  }
  await writeIndex(wheels, path.join(target, 'simple'));
}
