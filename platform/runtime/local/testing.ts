import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLogger } from '@haic/kit/logging.ts';
import type { LocalRuntimeOptions } from './options.ts';
import { createLocalRuntime, type LocalRuntime } from './runtime.ts';

/** An installation of its own in a temporary directory; its uids are not those of a real one on the same machine. */
export async function makeInstallation(change: Partial<LocalRuntimeOptions> = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-runtime-'));
  // Other uids pass through it to what is mounted into their sandboxes.
  await chmod(directory, 0o711);
  const options: LocalRuntimeOptions = {
    stateDirectory: path.join(directory, 'state'),
    volumesDirectory: path.join(directory, 'volumes'),
    images: { system: { mounts: [], env: {} } },
    isolation: 'auto',
    uids: { first: 63_000, count: 1_000 },
    cgroupName: 'haic-test',
    logger: createLogger('runtime', 'silent'),
    ...change,
  };
  let runtime: LocalRuntime | undefined;
  return {
    directory,
    options,
    async start(more: Partial<LocalRuntimeOptions> = {}): Promise<LocalRuntime> {
      runtime = await createLocalRuntime({ ...options, ...more });
      return runtime;
    },
    /** Ends everything that runs, whoever started it. */
    async destroy(): Promise<void> {
      await runtime?.stop();
      const last = await createLocalRuntime(options);
      const signal = AbortSignal.timeout(30_000);
      await Promise.all(
        (await last.list({})).map(({ name }) => last.remove(name, { volumes: 'delete', signal })),
      );
      await last.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const isRoot = process.getuid?.() === 0;
/** For tests of what only the sandbox does: why they cannot run here, or false. */
export const withoutSandbox: string | false = isRoot ? false : 'needs root and bubblewrap';
