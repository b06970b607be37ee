import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { defaultCache } from '../cache-directory.ts';
import { deadline } from '../deadline.ts';
import { messageOf } from '../errors.ts';

/** Scripts for node. */
export interface ProtobufTools {
  readonly buf: string;
  /** protoc-gen-es */
  readonly plugin: string;
}

const run = promisify(execFile);
const lock = path.join(import.meta.dirname, 'toolchain');

/**
 * buf and protoc-gen-es, by a lock of their own: they are 125 MB that only who changes a .proto needs, or tests that nothing was forgotten. They go
 * into the cache, where they are found the next time.
 */
export async function protobufTools(): Promise<ProtobufTools> {
  const lockFile = await readFile(path.join(lock, 'package-lock.json'));
  const name = createHash('sha256').update(lockFile).digest('hex').slice(0, 16);
  const folder = path.join(process.env.HAIC_CACHE ?? defaultCache(), 'protobuf-tools', name);
  if (!(await exists(folder))) await install(folder);
  const script = (file: string) => path.join(folder, 'node_modules/@bufbuild', file);
  return { buf: script('buf/bin/buf'), plugin: script('protoc-gen-es/bin/protoc-gen-es') };
}

async function install(folder: string): Promise<void> {
  process.stderr.write('Installing buf and protoc-gen-es (once) …\n');
  const staging = `${folder}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  try {
    for (const file of ['package.json', 'package-lock.json'])
      await copyFile(path.join(lock, file), path.join(staging, file));
    const words = [
      'ci',
      '--prefix',
      staging,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const [program, ...first] = await npm();
    await run(program, [...first, ...words], { signal: deadline(300_000) });
    await rename(staging, folder);
  } catch (error) {
    // Who was faster has installed the same.
    if (await exists(folder)) return;
    throw new Error(`buf and protoc-gen-es could not be installed: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The one that ./haic brings beside its Node, or that of who runs another Node. */
async function npm(): Promise<[program: string, ...args: string[]]> {
  const own = path.resolve(path.dirname(process.execPath), '../../npm/bin/npm-cli.js');
  return (await exists(own)) ? [process.execPath, own] : ['npm'];
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
