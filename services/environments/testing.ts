import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createEnvironments, type Environments, type EnvironmentsOptions } from './service.ts';
import { ensureUv } from './uv.ts';

export const isRoot = process.getuid?.() === 0;
/** The uid of an app: not ours, and nobody's. */
export const appUid = 61_001;

export const testUv = async (): Promise<string> =>
  (
    await ensureUv({
      cacheDirectory: process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache'),
      signal: AbortSignal.timeout(120_000),
    })
  ).path;

/** A folder that other uids can enter, as the installation's own is. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-environments-'));
  await chmod(folder, 0o755);
  return folder;
}

export async function startTestEnvironments(
  options: Partial<EnvironmentsOptions> = {},
): Promise<{ environments: Environments; directory: string; stop(): Promise<void> }> {
  const directory = options.directory ?? (await testFolder());
  const environments = await createEnvironments({
    uv: await testUv(),
    minFreeBytes: 0,
    ...options,
    directory,
  });
  return {
    environments,
    directory,
    stop: async () => {
      await environments.stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A caller that collects what it is told. */
export function testCaller(signal: AbortSignal = AbortSignal.timeout(120_000)) {
  const lines: string[] = [];
  return { lines, signal, onLine: (line: string) => void lines.push(line) };
}

/** Without making bytecode: no app can, and a test that runs as root would find its own. */
export async function runPython(
  script: string,
  args: readonly string[],
  options: { uid?: number; python?: string } = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(options.python ?? '/usr/bin/python3', ['-I', '-B', '-c', script, ...args], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, output };
}

const wheelScript = `
import json, sys, zipfile
target, name, files, entry_points = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
info = name + "-1.0.dist-info/"
files[info + "METADATA"] = "Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % name
files[info + "WHEEL"] = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
if entry_points: files[info + "entry_points.txt"] = entry_points
files[info + "RECORD"] = "".join(n + ",,\\n" for n in files) + info + "RECORD,,\\n"
with zipfile.ZipFile(target, "w") as archive:
    for path, content in files.items():
        item = zipfile.ZipInfo(path)
        item.external_attr = 0o106777 << 16  # set-uid and writable for everyone, as a hostile author would
        archive.writestr(item, content)
`;

export interface TestWheel {
  readonly file: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly content: Buffer;
  upload(environments: Environments): Promise<void>;
}

/** A real wheel `<name>-1.0-py3-none-any.whl` with these files. */
export async function makeWheel(
  folder: string,
  name: string,
  files: Record<string, string> = { [`${name}.py`]: 'answer = 42\n' },
  entryPoints = '',
): Promise<TestWheel> {
  const fileName = `${name}-1.0-py3-none-any.whl`;
  const file = path.join(folder, fileName);
  const { code, output } = await runPython(wheelScript, [file, name, JSON.stringify(files), entryPoints]);
  if (code !== 0) throw new Error(output);
  const content = await readFile(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return {
    file,
    fileName,
    sha256,
    content,
    upload: (environments) =>
      environments.putWheel({
        sha256,
        fileName,
        content: Readable.from(content),
        signal: AbortSignal.timeout(10_000),
      }),
  };
}
