import { createServer } from 'node:http';
import process from 'node:process';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { createPlaces } from '@haic/kit/places.ts';
import { type Api, connectApi } from './api.ts';
import { createFakeAddresses } from './fake-addresses.ts';
import {
  type FakePod,
  fakeNodeName,
  leaseOf,
  nodeOf,
  nodeStatusOf,
  runningStatusOf,
} from './fake-objects.ts';
import { network } from './layout.ts';
import { run } from './run.ts';

/**
 * Nodes that are none, for rehearsals with thousands of pods: what is bound to them is said to run and to be ready at once, and no process of it
 * is ever started. Every port that such a pod declares answers with the pod's name, so that Services and whoever asks them are real.
 * `node fake-nodes.ts <folder of the cluster> <count>`, in the cluster's network; ends when its standard input does.
 */
async function main(): Promise<void> {
  const [folder = '', count = ''] = process.argv.slice(2);
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ending.abort());
  if (process.env.HAIC_LIFELINE === '1') process.stdin.resume().once('close', () => ending.abort());
  const { signal } = ending;
  const api = await connectApi({ folder });
  const names = Array.from({ length: Number(count) }, (_, index) => fakeNodeName(index + 1));
  await run('ip', ['route', 'replace', 'local', network.fakePods, 'dev', 'lo']);
  await each(names, async (name) => {
    await apply(api, `/api/v1/nodes/${name}`, nodeOf(name));
    await apply(api, `/api/v1/nodes/${name}/status`, nodeStatusOf(name, secondsNow()));
    await apply(api, leasePath(name), leaseOf(name, new Date()));
  });
  const over = Promise.all([renewLeases(api, names, signal), lookAfterPods(api, new Set(names), signal)]);
  await until(async () => ((await allReady(api, names)) ? true : undefined), {
    everyMs: 100,
    signal: deadline(60_000),
  });
  process.stdout.write('ready\n');
  await over;
  await each(names, (name) => api.ask('DELETE', `/api/v1/nodes/${name}`));
  process.exit();
}

/** Well within the time after which a node counts as lost (`components.ts`), also while the server is busy. */
const renewEveryMs = 3_000;
const inPlace = createPlaces(16);
const leasePath = (name: string) => `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
const secondsNow = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const each = <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<unknown> =>
  Promise.all(items.map((item) => inPlace(() => work(item), deadline(60_000))));

async function apply(api: Api, path: string, object: unknown): Promise<void> {
  const body = { text: JSON.stringify(object), type: 'application/apply-patch+yaml' };
  const answer = await api.ask('PATCH', `${path}?fieldManager=fake-nodes&force=true`, body);
  if (answer === undefined || answer.status >= 300)
    throw new Error(`${path}: ${answer?.status} ${answer?.body}`);
}

async function allReady(api: Api, names: readonly string[]): Promise<boolean> {
  const answer = await api.ask('GET', '/api/v1/nodes');
  if (answer?.status !== 200) return false;
  const { items } = JSON.parse(answer.body) as {
    items: { metadata: { name: string }; spec: { taints?: { key: string }[] } }[];
  };
  // New nodes are kept from pods until the cluster has seen that they are ready.
  const isNew = (taints: { key: string }[] = []) => taints.some(({ key }) => key.endsWith('/not-ready'));
  const ready = new Set(items.filter(({ spec }) => !isNew(spec.taints)).map(({ metadata }) => metadata.name));
  return names.every((name) => ready.has(name));
}

async function renewLeases(api: Api, names: readonly string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(renewEveryMs, signal).catch(() => {});
    // One that fails is renewed the next time. It costs the server a fraction of applying it.
    const type = 'application/merge-patch+json';
    await each(names, (name) => {
      const { spec } = leaseOf(name, new Date());
      return api.ask('PATCH', leasePath(name), { text: JSON.stringify({ spec }), type });
    });
  }
}

async function lookAfterPods(api: Api, names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const addresses = createFakeAddresses();
  const listen = createListeners((address) => addresses.podAt(address));
  /** Who is being started or removed just now, or was started. */
  const started = new Set<string>();
  const removed = new Set<string>();

  function seen(pod: FakePod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (!names.has(pod.spec.nodeName ?? '')) return;
    if (deletionTimestamp !== undefined) void once(removed, uid, () => remove(pod));
    else if (pod.status?.phase === 'Pending') void once(started, uid, () => start(pod));
    else if (pod.status?.podIP !== undefined && !started.has(uid)) {
      // Of one who was here before.
      started.add(uid);
      addresses.has(uid, pod.status.podIP);
      for (const { ports = [] } of pod.spec.containers) for (const port of ports) listen(port.containerPort);
    }
    // Its node had not been heard of for a while.
    else if (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False'))
      void inPlace(() => start(pod), signal).catch(() => {});
  }

  /** Until it is done. */
  async function once(done: Set<string>, uid: string, work: () => Promise<boolean>): Promise<void> {
    if (done.has(uid)) return;
    done.add(uid);
    while (!signal.aborted && !(await inPlace(work, signal).catch(() => false)))
      await sleep(1_000, signal).catch(() => {});
  }

  const pathOf = ({ metadata: { namespace, name } }: FakePod) =>
    `/api/v1/namespaces/${namespace}/pods/${name}`;

  async function start(pod: FakePod): Promise<boolean> {
    const status = runningStatusOf(pod, addresses.take(pod.metadata.uid), secondsNow());
    for (const { ports = [] } of pod.spec.containers) for (const port of ports) listen(port.containerPort);
    const body = { text: JSON.stringify(status), type: 'application/strategic-merge-patch+json' };
    const answer = await api.ask('PATCH', `${pathOf(pod)}/status`, body);
    // A conflict is with whoever wrote it at that moment: the scheduler, or a controller.
    return answer?.status !== 409 && isDone(answer);
  }

  async function remove(pod: FakePod): Promise<boolean> {
    const { uid } = pod.metadata;
    const text = JSON.stringify({ gracePeriodSeconds: 0, preconditions: { uid } });
    return isDone(await api.ask('DELETE', pathOf(pod), { text }));
  }

  function gone({ metadata: { uid } }: FakePod): void {
    addresses.giveBack(uid);
    started.delete(uid);
    removed.delete(uid);
  }

  const bound = 'fieldSelector=spec.nodeName!%3D';
  while (!signal.aborted) {
    const list = await api.ask('GET', `/api/v1/pods?${bound}`);
    if (list?.status === 200) {
      const { metadata, items } = JSON.parse(list.body) as {
        metadata: { resourceVersion: string };
        items: FakePod[];
      };
      for (const pod of items) seen(pod);
      const watch = `/api/v1/pods?${bound}&watch=true&resourceVersion=${metadata.resourceVersion}`;
      for await (const line of api.lines(watch, signal)) {
        const { type, object } = JSON.parse(line) as { type: string; object: FakePod };
        if (type === 'ERROR') break;
        if (type === 'DELETED') gone(object);
        else seen(object);
      }
    }
    await sleep(250, signal).catch(() => {});
  }
}

/** Gone meanwhile, or another of the same name by now: then there is nothing more to do. */
const isDone = (answer: { status: number } | undefined): boolean =>
  answer !== undefined && (answer.status < 300 || answer.status === 404 || answer.status === 409);

/** All addresses of fake pods are this process's: a port is listened on for all of them once one declares it. */
function createListeners(podAt: (address: string) => string | undefined): (port: number) => void {
  const ports = new Set<number>();
  return (port) => {
    if (ports.has(port)) return;
    ports.add(port);
    const server = createServer(({ socket }, answer) => {
      const address = (socket.localAddress ?? '').replace('::ffff:', '');
      const pod = address === network.anyFakePod ? 'of no name' : podAt(address);
      // A connection to a pod that is gone breaks; who kept it would be answered by nobody for as long as they go on asking.
      if (pod === undefined) return socket.destroy();
      answer.writeHead(200, { 'content-type': 'text/plain' }).end(`This is the fake pod ${pod}.\n`);
    });
    server.on('error', (error) => process.stderr.write(`Port ${port}: ${messageOf(error)}\n`));
    server.listen(port, '0.0.0.0');
  };
}

await main();
