import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EnvironmentFailed, EnvironmentNeedsBuild } from './client.ts';
import type { Interpreter } from './interpreters.ts';
import { demandHashes, sha256 } from './lock.ts';
import { failed, outcomeOfUv } from './outcomes.ts';
import type { PlainRequirements } from './requirements.ts';
import { type Caller, createLimit, createSharedWork, type Work } from './shared-work.ts';
import type { EnvironmentStore } from './store.ts';
import type { UvTool } from './uv-tool.ts';

export interface ResolutionInput {
  readonly requirements: PlainRequirements;
  readonly constraints: PlainRequirements;
  readonly interpreter: Interpreter;
  readonly excludeNewer: string | undefined;
  readonly scope: string | undefined;
  readonly noDeps: boolean;
}

export interface Resolved {
  readonly lock: string;
  /** Withdraws the choice: its files are gone from the index, so the next one chooses anew. */
  forget(): Promise<void>;
}

export type Resolution = Resolved | EnvironmentNeedsBuild | EnvironmentFailed;

/** Chooses the version of every package once for the same input, and remembers it. */
export function createResolver(options: {
  store: EnvironmentStore;
  uv: UvTool;
  checkSpace: () => Promise<void>;
}) {
  const { store, uv } = options;
  const shared = createSharedWork<Resolution>(createLimit(4));

  async function resolve(input: ResolutionInput, caller: Caller): Promise<Resolution> {
    const key = keyOf(input);
    const forget = () => store.forgetLock(key);
    const remembered = await store.rememberedLock(key);
    if (remembered !== undefined) return { lock: remembered, forget };
    const start = async (work: Work): Promise<Resolution> => {
      work.log(`Resolving for Python ${input.interpreter.version}…`);
      await options.checkSpace();
      return store.inTempFolder(async (folder) => {
        const resolution = await run(folder, input, work);
        if (!('lock' in resolution)) return resolution;
        await store.rememberLock(key, resolution.lock);
        return { ...resolution, forget };
      });
    };
    return shared.join(key, start, caller);
  }

  async function run(folder: string, input: ResolutionInput, work: Work) {
    const { requirements, constraints, interpreter } = input;
    await writeFile(path.join(folder, 'requirements.in'), `${requirements.lines.join('\n')}\n`);
    await writeFile(path.join(folder, 'constraints.in'), `${constraints.lines.join('\n')}\n`);
    const settings = {
      python: interpreter.path,
      excludeNewer: input.excludeNewer,
      preReleases: requirements.preReleases,
      noDeps: input.noDeps,
      constraints: constraints.lines.length > 0,
    };
    const { code, lines } = await uv.compile(folder, settings, work);
    if (code !== 0) return outcomeOfUv(lines, interpreter);
    const lock = await readFile(path.join(folder, 'requirements.lock'), 'utf8');
    const demanded = demandHashes(lock, requirements.hashes);
    if ('lock' in demanded) return demanded;
    return failed(
      `The files of ${demanded.mismatch} in the package index have other hashes than requirements.txt demands, so it was not installed.`,
    );
  }

  return { resolve, idle: shared.idle, whenIdle: shared.whenIdle, stop: shared.stop };
}

/** All that decides which versions are chosen. No date: what was chosen once stays, so that a restart is the same environment. */
export const keyOf = (input: ResolutionInput): string =>
  sha256(
    JSON.stringify([
      '1',
      input.scope ?? '',
      input.requirements.lines,
      [...input.requirements.hashes].map(([name, hashes]) => [name, [...hashes].sort()]),
      input.requirements.preReleases,
      input.constraints.lines,
      input.excludeNewer ?? '',
      input.interpreter.fullVersion,
      input.noDeps,
    ]),
  );
