import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { network } from '@haic/test-cluster/layout.ts';
import { isOpen, listener, openFrom, type PodName } from '@haic/test-cluster/reach.ts';
import { run as execute } from '@haic/test-cluster/run.ts';
import { podsOf } from './pods.ts';
import { podsOfInstance, type Scene, terminate } from './scene.ts';
import { peersOf } from './world.ts';

/** Where the machines of clouds tell who asks whose they are. */
const metadata = '169.254.169.254';
const databasePort = 5432;

/** That the policies are enforced for what the chart runs; deploy/charts/tests has the whole table, with pods that stand for it. */
export function testNetworkPolicies(scene: () => Scene): void {
  describe('network policies', () => {
    let neighbour: { readonly id: string };
    let [app, stranger, monitor]: (PodName | undefined)[] = [];
    /** What listens, by what it is called: `<host>:<port>`. */
    let places: Readonly<Record<string, string>>;
    const cloud = createServer((_asked, answer) => answer.end('a secret of this machine'));

    before(async () => {
      const { world, run, whoAmI } = scene();
      const { account, kubectl } = world;
      await execute('ip', ['address', 'add', `${metadata}/32`, 'dev', 'lo']);
      await once(cloud.listen(80, metadata), 'listening');
      const { monitoring } = peersOf(account);
      [stranger, monitor] = [await stand(`stranger-${account}`), await stand(monitoring)];
      neighbour = await run('keeper');
      app = await podOf((await whoAmI()).id);
      const other = await podOf(neighbour.id);
      const [router] = await podsOf(world, 'router');
      const [core] = await podsOf(world, 'core');
      const [drive] = await podsOf(world, 'drive');
      const launcher = ['get', 'pod', other.name, '--namespace', other.namespace];
      const [ip = '', port = ''] = (
        await kubectl(
          ...launcher,
          '--output',
          'jsonpath={.status.podIP} {.spec.containers[0].ports[0].containerPort}',
        )
      ).split(' ');
      places = {
        "another's app": `${ip}:${port}`,
        'the router': `${router?.ip}:8080`,
        "the router's metrics": `${router?.ip}:9464`,
        "core's API": `${core?.ip}:8084`,
        "core's gRPC": `${core?.ip}:8083`,
        "core's metrics": `${core?.ip}:9465`,
        Drive: `${drive?.ip}:8082`,
        "Drive's objects": `${drive?.ip}:8085`,
        "Drive's metrics": `${drive?.ip}:9466`,
        'the database': `${network.node}:${databasePort}`,
        'the API server': `${network.node}:${network.apiPort}`,
        'the metadata of the machine': `${metadata}:80`,
      };
    });
    after(async () => {
      const { world } = scene();
      if (neighbour !== undefined) await terminate(scene(), neighbour.id);
      const namespaces = [`stranger-${world.account}`, peersOf(world.account).monitoring];
      await world.kubectl('delete', 'namespace', '--ignore-not-found', '--wait=false', ...namespaces);
      cloud.close();
      await execute('ip', ['address', 'del', `${metadata}/32`, 'dev', 'lo']);
    });

    it('keep an app from all of the platform and its cluster but the names that everybody knows', async () => {
      const { hostname } = new URL(scene().world.url);
      const names = { 'the front door': `${hostname}:443`, "Drive's door": `drive.${hostname}:443` };
      await reaches(app, { ...places, ...names }, Object.keys(names));
    });

    it('keep the pods of others from all of it, and the metrics for those who watch', async () => {
      const ofAccount = without('the database', 'the API server', 'the metadata of the machine');
      await reaches(stranger, ofAccount, []);
      const metrics = Object.keys(places).filter((name) => name.endsWith(' metrics'));
      await reaches(monitor, ofAccount, metrics);
    });

    it('are what keeps them: the node, which policies do not concern, reaches all of it', async () => {
      for (const [name, place] of Object.entries(places)) assert.ok(await isOpen(place), name);
    });

    async function stand(namespace: string): Promise<PodName> {
      const { kubectl } = scene().world;
      const pod = { namespace, name: 'somebody' };
      await kubectl('create', 'namespace', namespace);
      await execute('kubectl', ['apply', '-f', '-'], { input: JSON.stringify(listener(pod, [8000])) });
      const ready = ['--for=condition=Ready', '--timeout=60s'];
      await kubectl('wait', `pod/${pod.name}`, '--namespace', namespace, ...ready);
      return pod;
    }

    async function podOf(id: string): Promise<PodName> {
      const { inApps, world } = scene();
      const first = 'jsonpath={.items[0].metadata.name}';
      const name = await inApps('get', 'pods', ...podsOfInstance(id), '--output', first);
      return { namespace: `${world.account}-apps`, name };
    }

    const without = (...names: string[]) =>
      Object.fromEntries(Object.entries(places).filter(([name]) => !names.includes(name)));

    /** Policies are followed by and by. */
    async function reaches(
      from: PodName | undefined,
      asked: Readonly<Record<string, string>>,
      expected: readonly string[],
    ): Promise<void> {
      assert.ok(from);
      let last: readonly string[] = [];
      const settled = async () => {
        const open = await openFrom(scene().world.kubectl, from, Object.values(asked));
        last = Object.keys(asked).filter((name) => open.includes(asked[name] ?? ''));
        return last.join() === expected.join() ? true : undefined;
      };
      await until(settled, { everyMs: 500, signal: deadline(60_000) }).catch(() =>
        assert.deepEqual(last, expected),
      );
    }
  });
}
