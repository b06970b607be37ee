import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { network } from './layout.ts';
import { listener, openFrom } from './reach.ts';
import { run } from './run.ts';

const suffix = randomBytes(3).toString('hex');
const [here, there] = [`here-${suffix}`, `there-${suffix}`];
const ports = [8001, 8002];
const pods = {
  server: { namespace: here, name: 'server', labels: { app: 'server' } },
  friend: { namespace: here, name: 'friend', labels: { app: 'friend' } },
  stranger: { namespace: here, name: 'stranger', labels: { app: 'stranger' } },
  foreigner: { namespace: there, name: 'foreigner', labels: { app: 'friend' } },
} as const;
type Name = keyof typeof pods;

const kubectl = (...words: string[]) => run('kubectl', words);
const apply = (...items: unknown[]) =>
  run('kubectl', ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
const policy = (spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'tried', namespace: here },
  spec: { podSelector: { matchLabels: { app: 'server' } }, ...spec },
});

describe('a NetworkPolicy in the test cluster', () => {
  const addresses = new Map<Name, string>();
  const names = Object.keys(pods) as Name[];

  before(async () => {
    for (const namespace of [here, there]) await kubectl('create', 'namespace', namespace);
    await apply(...Object.values(pods).map((pod) => listener(pod, ports)));
    for (const name of names) {
      const { namespace } = pods[name];
      await kubectl(
        'wait',
        `pod/${name}`,
        '--namespace',
        namespace,
        '--for=condition=Ready',
        '--timeout=60s',
      );
      const address = ['get', 'pod', name, '--namespace', namespace, '-o', 'jsonpath={.status.podIP}'];
      addresses.set(name, await kubectl(...address));
    }
  });
  after(() => kubectl('delete', 'namespace', here, there, '--ignore-not-found', '--wait=false'));

  /** Each pod's ways to the others, as `from → to:port`. */
  async function ways(): Promise<readonly string[]> {
    const targets = names.flatMap((to) =>
      ports.map((port) => [`${addresses.get(to)}:${port}`, `${to}:${port}`] as const),
    );
    const shown: ReadonlyMap<string, string> = new Map(targets);
    const found = await Promise.all(
      names.map(async (from) =>
        (
          await openFrom(
            kubectl,
            pods[from],
            targets.map(([target]) => target),
          )
        )
          .map((target) => `${from} → ${shown.get(target)}`)
          .filter((way) => !way.startsWith(`${from} → ${from}:`)),
      ),
    );
    return found.flat().toSorted();
  }
  const all = names
    .flatMap((from) =>
      names.filter((to) => to !== from).flatMap((to) => ports.map((port) => `${from} → ${to}:${port}`)),
    )
    .toSorted();
  /** Policies are followed by and by. */
  async function open(expected: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    const settled = async () => {
      last = await ways();
      return last.join() === expected.join() ? true : undefined;
    };
    await until(settled, { everyMs: 200, signal: deadline(60_000) }).catch(() =>
      assert.deepEqual(last, expected),
    );
  }
  const but = (closed: (way: string) => boolean) => all.filter((way) => !closed(way));

  it('closes the pods that it selects where it lets in nobody, and them alone, until it is gone', async () => {
    await open(all);
    await apply(policy({ policyTypes: ['Ingress'] }));
    await open(but((way) => way.includes('→ server:')));
    await kubectl('delete', 'networkpolicy', 'tried', '--namespace', here);
    await open(all);
  });

  it('lets in by labels of pods and of namespaces, at the ports that it names', async () => {
    const from = [{ podSelector: { matchLabels: { app: 'friend' } } }];
    await apply(policy({ policyTypes: ['Ingress'], ingress: [{ from, ports: [{ port: 8001 }] }] }));
    await open(but((way) => way.includes('→ server:') && way !== 'friend → server:8001'));
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': there } };
    await apply(policy({ policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector }] }] }));
    await open(but((way) => way.includes('→ server:') && !way.startsWith('foreigner ')));
  });

  it('lets out to what it names alone: pods, and blocks of addresses but for their exceptions', async () => {
    const to = [{ podSelector: { matchLabels: { app: 'friend' } } }];
    await apply(policy({ policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 8002 }] }] }));
    await open(but((way) => way.startsWith('server ') && way !== 'server → friend:8002'));
    const except = [`${addresses.get('friend')}/32`];
    const block = [{ ipBlock: { cidr: network.pods, except } }];
    await apply(policy({ policyTypes: ['Egress'], egress: [{ to: block }] }));
    await open(but((way) => way.startsWith('server → friend:')));
  });

  it('holds for the node, too: its API server and the Service in front of it', async () => {
    const targets = [`${network.node}:${network.apiPort}`, `${network.firstService}:443`];
    await apply(policy({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 8001 }] }] }));
    await open(but((way) => way.startsWith('server ') && way.endsWith(':8002')));
    assert.deepEqual(await openFrom(kubectl, pods.server, targets), []);
    assert.deepEqual(await openFrom(kubectl, pods.friend, targets), targets);
  });
});
