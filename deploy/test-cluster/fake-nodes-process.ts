import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { TestCluster } from './cluster.ts';
import { at } from './layout.ts';

const program = fileURLToPath(new URL('./fake-nodes.ts', import.meta.url));

export interface FakeNodes {
  /** Removes the nodes, and with them what they were said to run. */
  stop(): Promise<void>;
}

/**
 * Adds so many nodes that are none to the cluster (`fake-nodes.ts`); resolves when pods can be bound to them. Tied, they end with this
 * process; otherwise with the cluster.
 */
export async function startFakeNodes(
  cluster: TestCluster,
  count: number,
  { tied }: { readonly tied: boolean },
): Promise<FakeNodes> {
  const words = [process.execPath, program, cluster.folder, String(count)];
  const { command, args, env } = cluster.command(words, tied ? 'network' : 'node');
  const log = await open(at(cluster, 'log', 'fake-nodes.log'), 'a');
  const child = spawn(command, args, {
    stdio: [tied ? 'pipe' : 'ignore', 'pipe', log.fd],
    detached: !tied,
    env: { ...env, HAIC_LIFELINE: tied ? '1' : '0' },
  });
  await log.close();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`The fake nodes ended with ${code}; see ${at(cluster, 'log', 'fake-nodes.log')}.`)),
    );
    child.stdout?.once('data', () => resolve());
  });
  if (!tied) {
    child.unref();
    child.stdout?.destroy();
  }
  return {
    async stop() {
      child.stdin?.end();
      await ended;
    },
  };
}
