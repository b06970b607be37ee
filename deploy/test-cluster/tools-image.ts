import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fillRoot, writeImage } from './image.ts';
import { isThere, run } from './run.ts';

/** A shell, the usual tools and Python, of this machine, as an image: what tests run in pods. */
export const toolsImage = 'localhost/tools:1';

const tools = [
  'cat',
  'chmod',
  'cp',
  'date',
  'dd',
  'env',
  'head',
  'id',
  'ls',
  'mkdir',
  'rm',
  'setsid',
  'sleep',
];
const more = ['stat', 'tail', 'touch', 'wc'];
const python = '/usr/bin/python3';
const programs = ['/bin/sh', ...[...tools, ...more].map((name) => `/usr/bin/${name}`), python];
/** Of Python's library: nothing that a test would import. */
const heavy = /^(test|idlelib|lib2to3|tkinter|turtledemo|ensurepip|pydoc_data|config-.*|__pycache__)$/;

/** Path of the image's file, made once for each version of this system. */
export async function ensureToolsImage(cacheDirectory: string, signal: AbortSignal): Promise<string> {
  const version = await run(python, ['-c', 'import sys; print(sys.version)'], { signal });
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const key = createHash('sha256')
    .update([system, version, ...programs].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const file = path.join(cacheDirectory, 'test-cluster', `tools-${key}.tar`);
  if (await isThere(file)) return file;
  const root = await mkdtemp(path.join(tmpdir(), 'haic-tools-'));
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await fillRoot(root, programs, signal);
    const library = (
      await run(python, ['-c', 'import os; print(os.path.dirname(os.__file__))'], { signal })
    ).trim();
    await copyLibrary(library, path.join(root, library));
    await writeImage(file, { reference: toolsImage, entrypoint: ['/bin/sh'], root }, signal);
    return file;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function copyLibrary(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (heavy.test(name)) continue;
    const options = {
      recursive: true,
      dereference: true,
      filter: (file: string) => !file.endsWith('__pycache__'),
    };
    await cp(path.join(from, name), path.join(to, name), options);
  }
}
