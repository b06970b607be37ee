import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { findCluster, runningClusters, startCluster, type TestCluster } from '@haic/test-cluster/cluster.ts';
import { startFakeNodes } from '@haic/test-cluster/fake-nodes-process.ts';
import { ensureToolsImage, toolsImage } from '@haic/test-cluster/tools-image.ts';
import { CommandError, exitCodes, output, say, step, table } from '../terminal.ts';

/** A test cluster for developers: a real Kubernetes on this machine alone, for as long as they want it. */
interface Place {
  readonly cache: string;
  readonly name: string;
}

/** The first one builds for as long as ten minutes on two cores, more where they are busy. */
const buildPatienceMs = 60 * 60_000;

export async function kubeUp(
  { cache, name }: Place,
  { images, fakeNodes }: { images: readonly string[]; fakeNodes: number },
): Promise<void> {
  const running = await findCluster(cache, name);
  if (running === undefined) {
    const signal = deadline(buildPatienceMs);
    await step(`Test cluster "${name}"`, async (tell) => {
      const tools = await ensureToolsImage(cache, signal);
      const all = [tools, ...images.map((file) => path.resolve(file))];
      const options = { cacheDirectory: cache, name, images: all, tied: false, tell, signal };
      const cluster = await startCluster(options);
      if (fakeNodes > 0) await startFakeNodes(cluster, fakeNodes, { tied: false });
    }).catch((error) => {
      throw new CommandError(messageOf(error));
    });
  } else say(`The test cluster "${name}" runs already.`);
  const flag = name === defaultName ? '' : ` --name ${name}`;
  say(`A real Kubernetes with one node; pods can have the image ${toolsImage} and those given with --image.`);
  say(`  ./haic kube exec${flag} -- kubectl get pods -A\n  ./haic kube down${flag}`);
}

export async function kubeDown({ cache, name }: Place): Promise<void> {
  const cluster = await findCluster(cache, name);
  await cluster?.stop();
  say(
    cluster === undefined ? `There is no test cluster "${name}".` : `The test cluster "${name}" has ended.`,
  );
}

export async function kubeStatus(cache: string, { json }: { json: boolean }): Promise<void> {
  const clusters = (await runningClusters(cache)).map(({ name, kubeconfig }) => ({ name, kubeconfig }));
  output(json, clusters, () =>
    clusters.length === 0
      ? 'No test cluster runs. Start one: ./haic kube up'
      : table(
          ['NAME', 'KUBECONFIG'],
          clusters.map((cluster) => [cluster.name, cluster.kubeconfig]),
        ),
  );
}

/** Runs a command in the cluster's network, or wholly on its node; ends with the command's own exit code. */
export async function kubeExec(
  { cache, name }: Place,
  words: readonly string[],
  { onNode }: { onNode: boolean },
): Promise<void> {
  if (words.length === 0)
    throw new CommandError('Say what to run: ./haic kube exec -- kubectl get pods -A', exitCodes.usage);
  const cluster = await known({ cache, name });
  const { command, args, env } = cluster.command(words, onNode ? 'node' : 'network');
  process.exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? exitCodes.error));
  });
}

async function known({ cache, name }: Place): Promise<TestCluster> {
  const cluster = await findCluster(cache, name);
  if (cluster !== undefined) return cluster;
  throw new CommandError(`There is no test cluster "${name}". Start it: ./haic kube up`);
}

export const defaultName = 'default';
