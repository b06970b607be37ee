import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { network } from '@haic/test-cluster/layout.ts';
import { isOpen, listener, openFrom, type PodName } from '@haic/test-cluster/reach.ts';
import { example, must, named, podLabelsOf, render, renderText, run } from './rendered.ts';

const suffix = randomBytes(3).toString('hex');
const kubectl = (...words: string[]) => must('kubectl', words);
const apply = (text: string) => must('kubectl', ['apply', '--server-side', '-f', '-'], text);

/** All that anything listens at, of the platform and of others; each pod listens at all of them. */
const ports = [8000, 8080, 8082, 8083, 8084, 8085, 8443, 9464, 9465, 9466] as const;
/** A name of the cluster's, which every pod has looked up. */
const clusterName = 'kubernetes.default.svc.cluster.local';
/** Addresses outside of the cluster, which its node has for this test: private ones and public ones, and what listens there. */
const outside = {
  collector: { address: '10.50.0.5', ports: [443, 4318] },
  database: { address: '10.20.0.5', ports: [443, 5432] },
  keycloak: { address: '10.40.0.5', ports: [80, 443, 8443, 9443] },
  intranet: { address: '10.30.0.5', ports: [80, 443, 5432, 8443] },
  metadata: { address: '169.254.169.254', ports: [80, 443, 988] },
  world: { address: '198.51.100.5', ports: [22, 80, 443, 5432, 8443] },
} as const;
const block = (cidr: string) => [{ ipBlock: { cidr } }];
const namespaceOf = (name: string) => [
  { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
];
const others = ['ingress', 'monitoring', 'elsewhere'] as const;
const inNamespace = (other: string) => `${other}-${suffix}`;

const common = {
  'networkPolicies.ingressController': namespaceOf(inNamespace('ingress')),
  'networkPolicies.monitoring': namespaceOf(inNamespace('monitoring')),
  'networkPolicies.dns': block(`${network.node}/32`),
  'networkPolicies.database': block('10.20.0.0/24'),
  'networkPolicies.apiServer': block(`${network.node}/32`),
};
/** Two releases in the cluster: one as small as can be, and one with what others keep for it. */
const releases = {
  small: { account: `small-${suffix}`, values: 'smallest', more: {} },
  large: {
    account: `large-${suffix}`,
    values: 'google-storage',
    more: {
      'issuer.url': 'https://keycloak.example.org:9443/realms/haic',
      'networkPolicies.issuer': block('10.40.0.5/32'),
      'networkPolicies.egress': [{ to: block('10.50.0.5/32'), ports: [{ protocol: 'TCP', port: 4318 }] }],
    },
  },
} as const;
type Release = keyof typeof releases;
const components = ['router', 'core', 'drive'] as const;
const roles = [...components, 'app', 'neighbour', 'migrations'] as const;
type Ways = Readonly<Record<string, readonly string[]>>;
const at = (to: string, ...which: readonly number[]) => which.map((port) => `${to}:${port}`);
/**
 * docs/kubernetes.md, "What lets whom", row by row: from whom to what in one release. The large one has a bucket of Google's, a Keycloak and
 * a collector of traces.
 */
function waysOf(release: Release): Ways {
  const isLarge = release === 'large';
  const own = (role: (typeof roles)[number]) => `${release} ${role}`;
  const [router, core, drive] = [own('router'), own('core'), own('drive')];
  const [app, neighbour, migrations] = [own('app'), own('neighbour'), own('migrations')];
  const database = at('database', 5432);
  const apps = [...at(app, ...ports), ...at(neighbour, ...ports)];
  const ingress = at('ingress', 8443);
  const services = [...at('world', 443, 8443), ...ingress];
  const issuer = isLarge ? at('keycloak', 443, 8443, 9443) : [];
  const collector = isLarge ? at('collector', 4318) : [];
  const identity = isLarge ? at('metadata', 80, 988) : [];
  const platform = [...database, ...issuer, ...collector];
  const fromApps = [...ingress, ...at('world', 80, 443), ...issuer];
  return {
    ingress: [...at(router, 8080), ...at(core, 8083), ...at(drive, 8082)],
    monitoring: [...at(router, 9464), ...at(core, 9465), ...at(drive, 9466)],
    [router]: [...platform, ...at(core, 8084), ...apps, ...(isLarge ? ingress : [])],
    [core]: [
      ...[...platform, ...services, ...identity, ...apps, ...at('API server', network.apiPort)],
      ...(isLarge ? [] : at(drive, 8085)),
    ],
    [drive]: [...platform, ...services, ...identity, ...at(core, 8084)],
    [app]: fromApps,
    [neighbour]: fromApps,
    [migrations]: database,
  };
}

describe('what lets whom, enforced: two accounts in a cluster, and others', () => {
  const pods = new Map<string, PodName>();
  /** Where each that something listens at is dialled, by what it is called here. */
  const addresses = new Map<string, string>();
  const servers: Server[] = [];

  before(async () => {
    for (const { address, ports: open } of Object.values(outside)) {
      await must('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
      for (const port of open) {
        const server = createServer((socket) => socket.destroy()).listen(port, address);
        await once(server, 'listening');
        servers.push(server);
      }
    }
    for (const other of others) await kubectl('create', 'namespace', inNamespace(other));
    for (const { account } of Object.values(releases)) await kubectl('create', 'namespace', account);
    const items = [
      ...(await Promise.all((['small', 'large'] as const).map(makeRelease))).flat(),
      ...others.map((other) => stand(other, { namespace: inNamespace(other), name: other })),
    ];
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    for (const [name, pod] of pods) {
      const { namespace } = pod;
      const words = [`pod/${pod.name}`, '--namespace', namespace];
      await kubectl('wait', ...words, '--for=condition=Ready', '--timeout=90s');
      addresses.set(name, await kubectl('get', ...words, '--output', 'jsonpath={.status.podIP}'));
    }
    for (const [name, { address }] of Object.entries(outside)) addresses.set(name, address);
    addresses.set('API server', network.node);
  });
  after(async () => {
    for (const server of servers) server.close();
    for (const { address } of Object.values(outside))
      await run('ip', ['address', 'del', `${address}/32`, 'dev', 'lo']);
    const all = [
      ...others.map(inNamespace),
      ...Object.values(releases).flatMap(({ account }) => [
        account,
        ...[...components, 'apps'].map((component) => `${account}-${component}`),
      ]),
    ];
    await run('kubectl', ['delete', 'namespace', '--ignore-not-found', '--wait=false', ...all]);
  });

  /** Its namespaces and policies as the chart makes them, and pods with its labels that stand for what it runs. */
  async function makeRelease(release: Release): Promise<unknown[]> {
    const { account, values: name, more } = releases[release];
    const options = { namespace: account, values: { ...common, ...more } };
    const text = await renderText(example(name), options);
    const ours = text.split(/^---$/m).filter((each) => /^kind: (Namespace|NetworkPolicy)$/m.test(each));
    await apply(ours.join('\n---\n'));
    const documents = await render(example(name), options);
    return roles.map((role) => {
      const isApp = role === 'app' || role === 'neighbour';
      const [workload] = named(documents, role === 'migrations' ? 'Job' : 'Deployment', role);
      const labels = workload === undefined ? undefined : podLabelsOf(workload);
      assert.equal(labels === undefined, isApp, role);
      const namespace = role === 'migrations' ? account : `${account}-${isApp ? 'apps' : role}`;
      return stand(`${release} ${role}`, { namespace, name: role, ...(labels && { labels }) });
    });
  }

  function stand(name: string, pod: PodName & { labels?: Readonly<Record<string, string>> }): unknown {
    pods.set(name, pod);
    return listener(pod, ports);
  }

  const listening = () => [
    ...[...pods.keys()].flatMap((to) => at(to, ...ports)),
    ...Object.entries(outside).flatMap(([to, each]) => at(to, ...each.ports)),
    ...at('API server', network.apiPort),
  ];
  const target = (way: string) => {
    const [to = '', port] = way.split(':');
    return port === undefined ? to : `${addresses.get(to)}:${port}`;
  };

  it('is what the table says, each way of it and no other', async () => {
    const all = [...listening(), clusterName];
    const unbound = all.filter((way) => !/^(small|large) /.test(way));
    const [small, large] = [waysOf('small'), waysOf('large')];
    const expected = new Map(
      [...pods.keys()].map((from) => {
        // Who belongs to no release goes wherever nobody says who may come.
        const free = others.some((other) => other === from) ? unbound : [];
        const to = new Set([clusterName, ...free, ...(small[from] ?? []), ...(large[from] ?? [])]);
        return [from, all.filter((way) => to.has(way) && !way.startsWith(`${from}:`))];
      }),
    );
    const reached = async () =>
      new Map(
        await Promise.all(
          [...pods].map(async ([from, pod]) => {
            const open = new Set(await openFrom(kubectl, pod, all.map(target)));
            return [from, all.filter((way) => open.has(target(way)) && !way.startsWith(`${from}:`))] as const;
          }),
        ),
      );
    // Policies are followed by and by.
    let last = await reached();
    const settled = async () => {
      if (JSON.stringify([...last]) === JSON.stringify([...expected])) return true;
      last = await reached();
      return undefined;
    };
    await until(settled, { everyMs: 500, signal: deadline(120_000) }).catch(() => undefined);
    for (const [from, to] of expected) assert.deepEqual(last.get(from), to, `from ${from}`);
  });

  it('is not because nobody listens: the node, which policies do not concern, reaches all of it', async () => {
    const closed = await Promise.all(
      listening().map(async (way) => ((await isOpen(target(way))) ? [] : [way])),
    );
    assert.deepEqual(closed.flat(), []);
  });
});
