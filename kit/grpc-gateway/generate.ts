import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ProtobufTools, protobufTools } from './protobuf-tools.ts';

/**
 * `npm run generate`: for each module of buf.yaml (a folder `proto`) lints, refuses what breaks the clients of what was published, writes the
 * code to `gen` and the new published form to `published.binpb`, both beside it. With `--check` nothing is written: what is committed has to be
 * what the protos say. A break that is meant is made by deleting `published.binpb` first, for a reviewer to see.
 *
 * The code is JavaScript with declarations: Node strips types, and the enums that protoc-gen-es writes in TypeScript are more than types.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** The annotations are generated once, in the kit. Node resolves the package's name from anywhere. */
const annotations = 'kit/grpc-gateway/proto';
const imports = './google/api/**/*_pb.js:@haic/kit/grpc-gateway/gen';

export interface Difference {
  readonly module: string;
  readonly problem: string;
}

/** Checks every module and returns what is wrong; with `write`, brings the generated files up to date first. */
export async function generate(options: { write: boolean }): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const module of await modules()) {
    const problem = await generateModule(module, options.write);
    if (problem !== undefined) found.push({ module, problem });
  }
  return found;
}

async function modules(): Promise<string[]> {
  const { stdout } = await askBuf('config', 'ls-modules', '--format', 'path');
  return stdout.split('\n').filter((line) => line !== '');
}

async function generateModule(module: string, write: boolean): Promise<string | undefined> {
  const published = path.join(root, module, '../published.binpb');
  const generated = path.join(root, module, '../gen');
  const fresh = await mkdtemp(path.join(tmpdir(), 'haic-generate-'));
  try {
    const wrong = (await complaintsOf('lint', module)) ?? (await breaks(module, published));
    if (wrong !== undefined) return wrong;
    await generateInto(module, path.join(fresh, 'gen'));
    const image = path.join(fresh, 'published.binpb');
    await askBuf('build', module, '--exclude-source-info', '-o', image);
    if (write) {
      await rm(generated, { recursive: true, force: true });
      await cp(path.join(fresh, 'gen'), generated, { recursive: true });
      await cp(image, published);
      return undefined;
    }
    const same = (await isSame(path.join(fresh, 'gen'), generated)) && (await isSameFile(image, published));
    return same ? undefined : 'The generated code is not what the protos say. Run: npm run generate';
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function generateInto(module: string, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const opt = [
    'target=js+dts',
    'import_extension=js',
    ...(module === annotations ? [] : [`rewrite_imports=${imports}`]),
  ];
  const local = [process.execPath, (await tools()).plugin];
  const template = { version: 'v2', plugins: [{ local, out: '.', opt }] };
  await askBuf('generate', module, '--template', JSON.stringify(template), '-o', out);
}

async function breaks(module: string, published: string): Promise<string | undefined> {
  const isPublished = await access(published).then(
    () => true,
    () => false,
  );
  return isPublished ? complaintsOf('breaking', module, '--against', published) : undefined;
}

/** buf prints what it complains about to stdout and ends with 100. */
async function complaintsOf(...args: string[]): Promise<string | undefined> {
  try {
    await askBuf(...args);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && error.stdout !== '')
      return String(error.stdout).trim();
    throw error;
  }
}

let installed: Promise<ProtobufTools> | undefined;
/** Installed at the first question. */
const tools = (): Promise<ProtobufTools> => (installed ??= protobufTools());

const askBuf = async (...args: string[]) =>
  run(process.execPath, [(await tools()).buf, ...args], { cwd: root });

async function isSame(one: string, other: string): Promise<boolean> {
  const [files, others] = await Promise.all([filesOf(one), filesOf(other)]);
  if (files.join('\n') !== others.join('\n')) return false;
  const compared = await Promise.all(
    files.map((file) => isSameFile(path.join(one, file), path.join(other, file))),
  );
  return compared.every((same) => same);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([readFile(one), readFile(other).catch(() => undefined)]);
  return b !== undefined && a.equals(b);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = await generate({ write: !process.argv.includes('--check') });
  for (const { module, problem } of wrong) process.stderr.write(`${module}: ${problem}\n`);
  if (wrong.length > 0) process.exitCode = 1;
}
