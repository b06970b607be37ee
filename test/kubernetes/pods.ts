import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { containerdSocket } from '@haic/test-cluster/layout.ts';
import { execute } from '../support/haic.ts';
import type { HaicInCluster } from './world.ts';

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly ip: string;
  readonly containerId: string;
}

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP?: string;
      readonly containerStatuses?: readonly { readonly containerID?: string; readonly ready: boolean }[];
    };
  }[];
}

/** How many of a component there are, with those that are ending. */
export async function podCount(
  world: Pick<HaicInCluster, 'account' | 'kubectl'>,
  component: string,
): Promise<number> {
  return (await listPods(world, component)).items.length;
}

const listPods = async (
  { account, kubectl }: Pick<HaicInCluster, 'account' | 'kubectl'>,
  component: string,
): Promise<Listed> =>
  JSON.parse(
    await kubectl('get', 'pods', '--namespace', `${account}-${component}`, '--output', 'json'),
  ) as Listed;

/** Those of a component that stay and are ready: one that is being replaced still answers what it was asked. */
export async function podsOf(
  world: Pick<HaicInCluster, 'account' | 'kubectl'>,
  component: string,
): Promise<readonly Pod[]> {
  const namespace = `${world.account}-${component}`;
  const { items } = await listPods(world, component);
  return items.flatMap(({ metadata: { name, deletionTimestamp }, status: { podIP, containerStatuses } }) => {
    const [container] = containerStatuses ?? [];
    if (deletionTimestamp !== undefined || podIP === undefined || container?.ready !== true) return [];
    return [{ name, namespace, ip: podIP, containerId: container.containerID?.split('://')[1] ?? '' }];
  });
}

/** Its process by SIGKILL, which tells nobody anything, and the pod: as when its machine is taken away. */
export async function kill(world: HaicInCluster, { name, namespace, containerId }: Pod): Promise<void> {
  const { command, args, env } = world.cluster.command(
    ['ctr', '-a', containerdSocket, '-n', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', containerId],
    'node',
  );
  const words = ['--namespace', namespace, '--grace-period=0', '--force', '--wait=false'];
  await Promise.all([execute(command, args, env), world.kubectl('delete', 'pod', name, ...words)]);
}

/** WebSockets that a router carries at this moment. */
export async function connectionsOf({ ip }: Pod): Promise<number> {
  const text = await (await fetch(`http://${ip}:9464/metrics`)).text();
  return [...text.matchAll(/^haic_open_connections\{.*\} (\d+)$/gm)]
    .map(([, count]) => Number(count))
    .reduce((a, b) => a + b, 0);
}

/** A connection by an upgrade, through just this router, to an app that says again what it hears. */
export interface Tunnel {
  echo(text: string): Promise<string>;
  close(): void;
}

export async function openTunnel({ ip }: Pod, host: string, path: string, token: string): Promise<Tunnel> {
  const socket = await new Promise<Duplex>((resolve, reject) => {
    const asked = request({
      ...{ host: ip, port: 8080, path },
      headers: {
        host,
        authorization: `Bearer ${token}`,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    });
    asked.once('upgrade', (_answer, opened) => resolve(opened));
    asked.once('response', ({ statusCode }) => reject(new Error(`An upgrade was answered ${statusCode}.`)));
    asked.once('error', reject);
    asked.end();
  });
  let ended = false;
  socket.once('close', () => {
    ended = true;
  });
  socket.on('error', () => {});
  return {
    async echo(text) {
      assert.equal(ended, false, 'it has not been closed');
      socket.write(text);
      return new Promise((resolve, reject) => {
        socket.once('data', (data: Buffer) => resolve(data.toString()));
        socket.once('close', () => reject(new Error('It was closed.')));
      });
    },
    close: () => socket.destroy(),
  };
}
