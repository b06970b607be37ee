import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { startCluster, whyNotHere } from '@haic/test-cluster/cluster.ts';
import { startFakeNodes } from '@haic/test-cluster/fake-nodes-process.ts';
import { podsOfFakeNode } from '@haic/test-cluster/fake-objects.ts';
import type { Plan } from './kubernetes/inside.ts';
import { type Row, unmeasured } from './rows.ts';

const plan: Plan = { sizes: [100, 1_000, 5_000], people: 500, atOnce: 50, started: 50 };
const inside = fileURLToPath(new URL('./kubernetes/inside.ts', import.meta.url));

/** Row 13 on a cluster: what grows with the number of instances. Their pods run on nodes that are none, so this is about Haic and not about pods. */
export async function benchKubernetes(): Promise<readonly Row[]> {
  const missing = whyNotHere();
  if (missing !== undefined) return [unmeasured('13.kubernetes', 'rehearsal on a cluster', missing)];
  const cluster = await startCluster({
    cacheDirectory: process.env.HAIC_CACHE ?? '/var/cache/haic',
    name: `bench-${process.pid}`,
    tied: true,
    signal: AbortSignal.timeout(3_600_000),
  });
  try {
    // Nobody here has a policy, and it looks at every pod at each change of one.
    await cluster.kill('kube-router');
    return await rehearse(cluster, plan);
  } finally {
    await cluster.stop();
  }
}

/** In the network of the cluster, which is for this alone. */
export async function rehearse(
  cluster: Awaited<ReturnType<typeof startCluster>>,
  wanted: Plan,
): Promise<readonly Row[]> {
  const most = Math.max(...wanted.sizes) + wanted.sizes.length * (wanted.atOnce + 10);
  const nodes = await startFakeNodes(cluster, Math.ceil(most / podsOfFakeNode), { tied: true });
  try {
    const { command, args, env } = cluster.command([process.execPath, inside, JSON.stringify(wanted)]);
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`The rehearsal ended with ${code}.`);
    return JSON.parse(said) as Row[];
  } finally {
    await nodes.stop();
  }
}
