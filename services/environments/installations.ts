import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unavailable } from '@haic/kit/errors.ts';
import type { EnvironmentOutcome } from './client.ts';
import type { Interpreter } from './interpreters.ts';
import type { LateBytecode } from './late-bytecode.ts';
import { environmentHash } from './lock.ts';
import { outcomeOfUv } from './outcomes.ts';
import { type Caller, createLimit, createSharedWork, type Work } from './shared-work.ts';
import type { EnvironmentStore } from './store.ts';
import type { UvTool } from './uv-tool.ts';

/** Makes the environment of a lock, or finds it. It is filled in a temporary folder and becomes visible whole, by one rename. */
export function createInstallations(options: {
  store: EnvironmentStore;
  uv: UvTool;
  bytecode: LateBytecode;
  checkSpace: () => Promise<void>;
  log: (message: string, facts?: Record<string, unknown>) => void;
}) {
  const { store, uv, bytecode } = options;
  const shared = createSharedWork<EnvironmentOutcome>(createLimit(2));

  async function install(
    lock: string,
    interpreter: Interpreter,
    caller: Caller,
  ): Promise<EnvironmentOutcome> {
    const hash = environmentHash(lock, interpreter);
    const start = async (work: Work): Promise<EnvironmentOutcome> => {
      // It may have been made while this one waited for its turn.
      const made = find(hash);
      if (made !== undefined) return made;
      await options.checkSpace();
      work.log('Installing…');
      // Before uv links: of these wheels the environment gets the bytecode with everything else.
      const compiled = await bytecode.compiled(interpreter);
      return store.inTempFolder(async (folder) => {
        const failure = await fill(folder, lock, interpreter, work);
        if (failure !== undefined) return failure;
        await bytecode.remember(hash, interpreter);
        await store.publish(folder, hash, work.signal);
        const published = find(hash);
        if (published === undefined) throw unavailable('vanished', 'The environment vanished. Try again.');
        options.log('environment installed', { hash, python: interpreter.fullVersion });
        bytecode.add(hash, interpreter, compiled);
        return { ...published, cached: false };
      });
    };
    return find(hash) ?? shared.join(hash, start, caller);
  }

  function find(hash: string) {
    const found = store.find(hash);
    return found === undefined ? undefined : { type: 'ready' as const, hash, ...found, cached: true };
  }

  async function fill(folder: string, lock: string, interpreter: Interpreter, work: Work) {
    await writeFile(path.join(folder, 'requirements.lock'), lock, { mode: 0o644 });
    const venv = await uv.createVenv(folder, interpreter.path, work);
    if (venv.code !== 0) return outcomeOfUv(venv.lines, interpreter);
    if (lock.trim() === '') return undefined;
    const installed = await uv.install(folder, work);
    return installed.code === 0 ? undefined : outcomeOfUv(installed.lines, interpreter);
  }

  return { install, idle: shared.idle, whenIdle: shared.whenIdle, stop: shared.stop };
}
