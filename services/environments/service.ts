import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { messageOf, unavailable } from '@haic/kit/errors.ts';
import { createBytecodeCache } from './bytecode.ts';
import type { EnvironmentOutcome, EnvironmentRequest, Waved } from './client.ts';
import { cutOffsOf } from './cut-offs.ts';
import { isGone } from './explain.ts';
import { createInstallations } from './installations.ts';
import { type Interpreter, listInterpreters, pickInterpreter } from './interpreters.ts';
import { checkKnownBreaks, type KnownBreak, knownBreaks } from './known-breaks.ts';
import { createLateBytecode } from './late-bytecode.ts';
import { failed, needsBuild, noInterpreter, outcomeOfError } from './outcomes.ts';
import { createReleases } from './releases.ts';
import { resolveWithRepairs } from './repair.ts';
import { createRepairMemory } from './repair-memory.ts';
import { type PlainRequirements, readRequirements } from './requirements.ts';
import { createResolver } from './resolver.ts';
import type { Caller } from './shared-work.ts';
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
  /** How long after the last new environment bytecode is made: its app is to start undisturbed first. */
  readonly bytecodeDelayMs?: number;
  /** Packages to keep apart, instead of those in repairs.json. */
  readonly knownBreaks?: readonly KnownBreak[];
}

export type Environments = Awaited<ReturnType<typeof createEnvironments>>;

const megabyte = 1024 * 1024;
const day = 24 * 60 * 60 * 1000;
const keptDays = 30;

/** Makes Python environments that apps share: the same lock is the same environment, installed once, read-only for everyone. */
export async function createEnvironments(options: EnvironmentsOptions) {
  const store = await openStore(options.directory);
  const interpreters = options.interpreters ?? (await listInterpreters());
  const home = await store.newTempFolder();
  const uv = createUvTool({ ...options, cacheFolder: store.folders.cache, tempFolder: home });
  const log = options.log ?? (() => undefined);
  const checkSpace = () => refuseWhenFull(store.freeBytes, options.minFreeBytes ?? 512 * megabyte);
  const resolver = createResolver({ store, uv, checkSpace });
  const bytecode = createLateBytecode({
    store,
    cache: createBytecodeCache(store),
    interpreters,
    checkSpace,
    whenIdle: async () => {
      while (!resolver.idle() || !installations.idle())
        await Promise.all([resolver.whenIdle(), installations.whenIdle()]);
    },
    delayMs: options.bytecodeDelayMs ?? 15_000,
    log,
  });
  const installations = createInstallations({ store, uv, bytecode, checkSpace, log });
  await bytecode.takeUp();
  const breaks = checkKnownBreaks(options.knownBreaks ?? knownBreaks);
  const memory = createRepairMemory(store, breaks);
  const releases = createReleases({ ...options, authorities: await authoritiesOf(options.caFile) });
  const wheels = createWheelStore({
    folder: store.folders.wheels,
    newTempFile: store.newTempPath,
    maxBytes: options.maxWheelBytes ?? 1024 * megabyte,
  });

  async function prepare(
    request: EnvironmentRequest,
    caller: Caller,
    noDeps = false,
  ): Promise<EnvironmentOutcome> {
    const interpreter = pickInterpreter(request.python, interpreters);
    if (interpreter === undefined) return noInterpreter(request.python, interpreters);
    const requirements = readRequirements({
      text: request.requirements,
      fileName: 'requirements.txt',
      wheels: request.wheels ?? [],
      wheelFolder: wheels.folder,
    });
    if (requirements.kind === 'refused') return failed(requirements.message);
    const cutOffs = () =>
      cutOffsOf({
        requirements: requirements.lines,
        publishedOn: request.publishedOn,
        today: new Date().toISOString().slice(0, 10),
        releases,
        signal: caller.signal,
      });
    if (requirements.kind === 'needs-build') {
      const dates = request.excludeNewer === undefined ? await cutOffs() : [];
      return needsBuild(
        requirements,
        interpreter,
        dates.map(({ date }) => date),
      );
    }
    const constraints = readConstraints(request.constraints);
    if (constraints.kind !== 'plain') return failed(constraints.message);
    for (const note of requirements.notes) caller.onLine(note);
    const missing = await missingWheel(request);
    if (missing !== undefined) return failed(`The wheel ${missing} was not uploaded. Try again.`);

    const { excludeNewer, scope } = request;
    const input = { requirements, constraints, interpreter, excludeNewer, scope, noDeps };
    const resolution = await resolveWithRepairs({
      resolve: resolver.resolve,
      input,
      breaks,
      memory,
      cutOffs,
      caller,
    });
    if ('type' in resolution) return resolution;
    const outcome = await installations.install(resolution.lock, interpreter, caller);
    if (outcome.type === 'failed' && isGone(outcome.lines)) await resolution.forget();
    return outcome;
  }

  async function missingWheel(request: EnvironmentRequest): Promise<string | undefined> {
    for (const wheel of request.wheels ?? [])
      if (!(await wheels.has(wheel.sha256, path.posix.basename(wheel.path)))) return wheel.path;
    return undefined;
  }

  return {
    interpreters,

    /** Never throws but for the caller's own abort: whatever goes wrong is an outcome. */
    prepare: async (request: EnvironmentRequest, caller: Caller): Promise<EnvironmentOutcome> => {
      try {
        return await prepare(request, caller);
      } catch (error) {
        caller.signal.throwIfAborted();
        log('an environment failed', { error: messageOf(error) });
        return outcomeOfError(error);
      }
    },

    waved: async (caller: Caller): Promise<Waved> => {
      const outcome = await prepare(wavedRequest, caller, true);
      if (outcome.type === 'ready') return wavedOf(outcome.path);
      throw unavailable('waved_unavailable', `The Wave server could not be installed. ${outcome.message}`);
    },

    keep: (hash: string): boolean => store.find(hash) !== undefined,
    hasWheel: wheels.has,
    putWheel: async (wheel: { sha256: string; fileName: string; content: Readable; signal: AbortSignal }) => {
      await checkSpace();
      await wheels.put(wheel);
    },

    /** Removes what nobody has used for 30 days. */
    sweep: async (now = new Date()): Promise<void> => {
      const removed = await store.sweep(new Date(now.getTime() - keptDays * day));
      if (removed === 0) return;
      log('unused environments removed', { removed });
      // The cache holds what they were made of. Those that stay keep their files by links of their own.
      if (resolver.idle() && installations.idle() && bytecode.idle())
        await uv.emptyCache({ signal: new AbortController().signal, log: () => undefined });
    },

    /** Resolves as soon as there is no bytecode left to make. */
    bytecodeMade: bytecode.whenIdle,

    stop: async () => {
      await Promise.all([resolver.stop(), installations.stop(), bytecode.stop()]);
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function refuseWhenFull(freeBytes: () => Promise<number>, minimum: number): Promise<void> {
  const free = await freeBytes();
  if (free >= minimum) return;
  throw unavailable(
    'insufficient_storage',
    `The disk is nearly full (${Math.floor(free / megabyte)} MB left), so nothing was installed. Free some space and try again.`,
  );
}

function readConstraints(text = ''): PlainRequirements | { kind: 'refused'; message: string } {
  const read = readRequirements({ text, fileName: 'The constraints', wheels: [], wheelFolder: '/' });
  return read.kind === 'needs-build' ? { kind: 'refused', message: read.message } : read;
}

/** An own authority comes on top of the usual ones; naming any replaces Node's list. */
async function authoritiesOf(caFile: string | undefined): Promise<readonly string[] | undefined> {
  return caFile === undefined
    ? undefined
    : [...getCACertificates('default'), ...getCACertificates('system'), await readFile(caFile, 'utf8')];
}
