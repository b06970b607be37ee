import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import { createBytecodeCache } from './bytecode.ts';
import type {
  EnvironmentFailed,
  EnvironmentNeedsBuild,
  EnvironmentOutcome,
  EnvironmentReady,
  EnvironmentRequest,
  Waved,
} from './client.ts';
import { diskFullMessage, explain, isDiskFull } from './explain.ts';
import { type Interpreter, listInterpreters, pickInterpreter } from './interpreters.ts';
import { demandHashes, environmentHash, sha256 } from './lock.ts';
import { type ReadRequirements, readRequirements } from './requirements.ts';
import { type Caller, createLimit, createSharedWork } from './shared-work.ts';
import { openStore } from './store.ts';
import { createUvTool } from './uv-tool.ts';
import { wavedOf, wavedRequest } from './waved.ts';
import { createWheelStore } from './wheels.ts';

export interface EnvironmentsOptions {
  /** HAIC_ENVIRONMENTS_DIR: apps see it at the same path. */
  readonly directory: string;
  readonly uv: string;
  readonly index?: string | undefined;
  readonly httpProxy?: string | undefined;
  readonly caFile?: string | undefined;
  readonly log?: (message: string, facts?: Record<string, unknown>) => void;
  readonly interpreters?: readonly Interpreter[];
  readonly maxWheelBytes?: number;
  /** Below this much free space nothing new is begun. */
  readonly minFreeBytes?: number;
}

export type Environments = Awaited<ReturnType<typeof createEnvironments>>;

type Plain = Extract<ReadRequirements, { kind: 'plain' }>;
type Resolution = { readonly lock: string } | EnvironmentNeedsBuild | EnvironmentFailed;
type Installation = EnvironmentReady | EnvironmentNeedsBuild | EnvironmentFailed;
type Work = { readonly signal: AbortSignal; readonly log: (line: string) => void };

const megabyte = 1024 * 1024;
const day = 24 * 60 * 60 * 1000;
const keptDays = 30;

/** Makes Python environments that apps share: the same lock is the same environment, installed once, read-only for everyone. */
export async function createEnvironments(options: EnvironmentsOptions) {
  const store = await openStore(options.directory);
  const interpreters = options.interpreters ?? (await listInterpreters());
  const home = await store.newTempFolder();
  const uv = createUvTool({ ...options, cacheFolder: store.folders.cache, tempFolder: home });
  const bytecode = createBytecodeCache({ cache: store.folders.cache, marks: store.folders.bytecode });
  const wheels = createWheelStore({
    folder: store.folders.wheels,
    newTempFile: store.newTempPath,
    maxBytes: options.maxWheelBytes ?? 1024 * megabyte,
  });
  const log = options.log ?? (() => undefined);
  const minFreeBytes = options.minFreeBytes ?? 512 * megabyte;
  const resolutions = createSharedWork<Resolution>(createLimit(4));
  const installations = createSharedWork<Installation>(createLimit(2));

  async function prepare(request: EnvironmentRequest, caller: Caller): Promise<EnvironmentOutcome> {
    try {
      return await prepareOrThrow(request, caller);
    } catch (error) {
      if (caller.signal.aborted) throw caller.signal.reason;
      log('an environment failed', { error: messageOf(error) });
      return failureOf(error);
    }
  }

  async function prepareOrThrow(
    request: EnvironmentRequest,
    caller: Caller,
    noDeps = false,
  ): Promise<EnvironmentOutcome> {
    const interpreter = pickInterpreter(request.python, interpreters);
    if (interpreter === undefined) return noInterpreter(request.python, interpreters);
    const read = readRequirements({
      text: request.requirements,
      fileName: 'requirements.txt',
      wheels: request.wheels ?? [],
      wheelFolder: wheels.folder,
    });
    if (read.kind === 'refused') return failed(read.message);
    if (read.kind === 'needs-build') return needsBuild(read, interpreter);
    const constraints = readConstraints(request.constraints);
    if (constraints.kind !== 'plain') return failed(constraints.message);
    for (const note of read.notes) caller.onLine(note);
    const missing = await missingWheel(request);
    if (missing !== undefined) return failed(`The wheel ${missing} was not uploaded. Try again.`);

    const input = { request, read, constraints, interpreter, noDeps };
    const resolution = await resolve(input, caller);
    if ('type' in resolution) return resolution;
    return install(resolution.lock, interpreter, caller);
  }

  async function missingWheel(request: EnvironmentRequest): Promise<string | undefined> {
    for (const wheel of request.wheels ?? [])
      if (!(await wheels.has(wheel.sha256, path.posix.basename(wheel.path)))) return wheel.path;
    return undefined;
  }

  async function resolve(input: ResolutionInput, caller: Caller): Promise<Resolution> {
    const key = keyOf(input);
    const remembered = await store.rememberedLock(key);
    if (remembered !== undefined) return { lock: remembered };
    const start = async (work: Work): Promise<Resolution> => {
      work.log(`Resolving for Python ${input.interpreter.version}…`);
      await checkSpace();
      return inTempFolder(async (folder) => {
        const resolution = await runResolver(folder, input, work);
        if ('lock' in resolution) await store.rememberLock(key, resolution.lock);
        return resolution;
      });
    };
    return resolutions.join(key, start, caller);
  }

  async function runResolver(folder: string, input: ResolutionInput, work: Work): Promise<Resolution> {
    const { read, constraints, interpreter, request } = input;
    await writeFile(path.join(folder, 'requirements.in'), `${read.lines.join('\n')}\n`);
    await writeFile(path.join(folder, 'constraints.in'), `${constraints.lines.join('\n')}\n`);
    const { code, lines } = await uv.compile(
      folder,
      {
        python: interpreter.path,
        excludeNewer: request.excludeNewer,
        preReleases: read.preReleases,
        noDeps: input.noDeps,
        constraints: constraints.lines.length > 0,
      },
      work,
    );
    if (code !== 0) return outcomeOf(lines, interpreter);
    const lock = await readFile(path.join(folder, 'requirements.lock'), 'utf8');
    const demanded = demandHashes(lock, read.hashes);
    if ('lock' in demanded) return demanded;
    return failed(
      `The files of ${demanded.mismatch} in the package index have other hashes than requirements.txt demands, so it was not installed.`,
    );
  }

  async function install(
    lock: string,
    interpreter: Interpreter,
    caller: Caller,
  ): Promise<EnvironmentOutcome> {
    const hash = environmentHash(lock, interpreter);
    const existing = store.find(hash);
    if (existing !== undefined) return { type: 'ready', hash, ...existing, cached: true };
    const start = async (work: Work): Promise<Installation> => {
      const made = store.find(hash);
      if (made !== undefined) return { type: 'ready', hash, ...made, cached: true };
      await checkSpace();
      work.log('Installing…');
      return inTempFolder(async (folder) => {
        const failure = await fill(folder, lock, interpreter, work);
        if (failure !== undefined) return failure;
        await store.publish(folder, hash, work.signal);
        const published = store.find(hash);
        if (published === undefined) throw unavailable('vanished', 'The environment vanished. Try again.');
        log('environment installed', { hash, python: interpreter.fullVersion });
        return { type: 'ready', hash, ...published, cached: false };
      });
    };
    return installations.join(hash, start, caller);
  }

  async function fill(
    folder: string,
    lock: string,
    interpreter: Interpreter,
    work: Work,
  ): Promise<EnvironmentNeedsBuild | EnvironmentFailed | undefined> {
    await writeFile(path.join(folder, 'requirements.lock'), lock, { mode: 0o644 });
    const venv = await uv.createVenv(folder, interpreter.path, work);
    if (venv.code !== 0) return outcomeOf(venv.lines, interpreter);
    if (lock.trim() === '') return undefined;
    const known = await bytecode.known(interpreter);
    const installed = await uv.install(folder, work);
    if (installed.code !== 0) return outcomeOf(installed.lines, interpreter);
    await bytecode.complete(path.join(folder, 'venv'), interpreter, known, work);
    return undefined;
  }

  async function inTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await store.newTempFolder();
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function checkSpace(): Promise<void> {
    const free = await store.freeBytes();
    if (free >= minFreeBytes) return;
    throw unavailable(
      'insufficient_storage',
      `The disk is nearly full (${Math.floor(free / megabyte)} MB left), so nothing was installed. Free some space and try again.`,
    );
  }

  async function waved(caller: Caller): Promise<Waved> {
    const outcome = await prepareOrThrow(wavedRequest, caller, true);
    if (outcome.type === 'ready') return wavedOf(outcome.path);
    throw unavailable('waved_unavailable', `The Wave server could not be installed. ${outcome.message}`);
  }

  async function sweep(now = new Date()): Promise<void> {
    const removed = await store.sweep(new Date(now.getTime() - keptDays * day));
    if (removed === 0) return;
    log('unused environments removed', { removed });
    // The cache holds what they were made of. Those that stay keep their files by links of their own.
    if (installations.idle() && resolutions.idle())
      await uv.emptyCache({ signal: new AbortController().signal, log: () => undefined });
  }

  return {
    interpreters,
    prepare,
    waved,
    sweep,
    keep: (hash: string): boolean => store.find(hash) !== undefined,
    hasWheel: wheels.has,
    putWheel: async (wheel: { sha256: string; fileName: string; content: Readable; signal: AbortSignal }) => {
      await checkSpace();
      await wheels.put(wheel);
    },
    stop: async () => {
      await Promise.all([resolutions.stop(), installations.stop()]);
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface ResolutionInput {
  readonly request: EnvironmentRequest;
  readonly read: Plain;
  readonly constraints: Plain;
  readonly interpreter: Interpreter;
  readonly noDeps: boolean;
}

/** All that decides which versions are chosen. No date: what was chosen once stays, so that a restart is the same environment. */
const keyOf = ({ request, read, constraints, interpreter, noDeps }: ResolutionInput): string =>
  sha256(
    JSON.stringify([
      '1',
      request.scope ?? '',
      read.lines,
      [...read.hashes].map(([name, hashes]) => [name, [...hashes].sort()]),
      read.preReleases,
      constraints.lines,
      request.excludeNewer ?? '',
      interpreter.fullVersion,
      noDeps,
    ]),
  );

function readConstraints(text: string | undefined): Plain | { kind: 'refused'; message: string } {
  const read = readRequirements({
    text: text ?? '',
    fileName: 'The constraints',
    wheels: [],
    wheelFolder: '/',
  });
  return read.kind === 'needs-build' ? { kind: 'refused', message: read.message } : read;
}

const failed = (message: string, lines: readonly string[] = []): EnvironmentFailed => ({
  type: 'failed',
  message,
  lines,
});

const needsBuild = (
  what: { packages: readonly string[]; message: string },
  interpreter: Interpreter,
): EnvironmentNeedsBuild => ({
  type: 'needs-build',
  packages: what.packages,
  message: what.message,
  interpreter: interpreter.path,
});

function outcomeOf(
  lines: readonly string[],
  interpreter: Interpreter,
): EnvironmentNeedsBuild | EnvironmentFailed {
  const explanation = explain(lines);
  return explanation.kind === 'failed' ? explanation.failure : needsBuild(explanation, interpreter);
}

function failureOf(error: unknown): EnvironmentFailed {
  if (error instanceof HaicError) return failed(error.message);
  if (isDiskFull(messageOf(error))) return failed(diskFullMessage);
  return failed(`The installer failed: ${messageOf(error)}`);
}

function noInterpreter(wanted: string, available: readonly Interpreter[]): EnvironmentFailed {
  if (available.length === 0)
    return failed('No Python that apps can use was found. Install python3 (Debian: apt install python3).');
  const versions = available.map((item) => item.version).join(', ');
  return failed(`Python ${wanted} is not installed here. There is: ${versions}.`);
}
