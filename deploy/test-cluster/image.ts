import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './run.ts';

export interface ImageSpec {
  /** As a pod names it, e.g. `localhost/tools:1`. */
  readonly reference: string;
  readonly entrypoint: readonly string[];
  readonly env?: readonly string[];
  /** A number; root without one. */
  readonly user?: string;
  /** Folder whose content becomes the image's only layer; everything in it is owned by root. */
  readonly root: string;
}

/** Writes an image as `docker save` would, without a registry or a builder. The same content gives the same bytes. */
export async function writeImage(file: string, spec: ImageSpec, signal: AbortSignal): Promise<void> {
  const staging = await mkdtemp(path.join(tmpdir(), 'haic-image-'));
  try {
    const layer = path.join(staging, 'layer.tar');
    await run('tar', ['-C', spec.root, ...reproducible, '-cf', layer, '.'], { signal });
    const digest = await digestOf(layer);
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {
        Entrypoint: spec.entrypoint,
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', ...(spec.env ?? [])],
        ...(spec.user === undefined ? {} : { User: spec.user }),
        WorkingDir: '/',
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    });
    const manifest = [{ Config: 'config.json', RepoTags: [spec.reference], Layers: ['layer.tar'] }];
    await writeFile(path.join(staging, 'config.json'), config);
    await writeFile(path.join(staging, 'manifest.json'), JSON.stringify(manifest));
    const names = ['config.json', 'layer.tar', 'manifest.json'];
    await run('tar', ['-C', staging, ...reproducible, '-cf', `${file}.tmp`, ...names], { signal });
    await rename(`${file}.tmp`, file);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Fills a folder with programs of this machine and the libraries that they need: a root file system for tests of real processes. A
 * program is an absolute path, which it keeps; `/bin/sh` and the like may be links.
 */
export async function fillRoot(
  root: string,
  programs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const folder of ['tmp', 'etc', 'usr/bin', 'proc', 'sys', 'dev'])
    await mkdir(path.join(root, folder), { recursive: true });
  await writeFile(path.join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\napp:x:10001:10001::/tmp:/bin/sh\n');
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\napp:x:10001:\n');
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(path.join(root, 'usr', folder), { recursive: true });
    await symlink(`usr/${folder}`, path.join(root, folder));
  }
  const files = new Set<string>();
  for (const program of programs) {
    files.add(program);
    // `ldd` fails for what is linked statically, which then needs nothing.
    const said = await run('ldd', [program], { signal }).catch(() => '');
    for (const [, library] of said.matchAll(/(\/\S+) \(0x/g)) if (library !== undefined) files.add(library);
  }
  for (const file of files) {
    await mkdir(path.join(root, path.dirname(file)), { recursive: true });
    await cp(file, path.join(root, file), { dereference: true });
  }
}
