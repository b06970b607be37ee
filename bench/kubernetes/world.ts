import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { deadline, until } from '@haic/kit/deadline.ts';
import { createPlaces } from '@haic/kit/places.ts';
import { connect, type KubeApi } from '@haic/platform/runtime/kubernetes/api.ts';
import { listMetadata } from '@haic/platform/runtime/kubernetes/metadata-list.ts';
import { fakeLabel } from '@haic/test-cluster/fake-objects.ts';
import { toolsImage } from '@haic/test-cluster/tools-image.ts';
import { addressOfCopy, answerForCopies, readOriginal, writeCopy } from '../../test/kubernetes/copies.ts';
import { callApi, importBundle, runApp } from '../../test/support/api.ts';
import { type Haic, startHaic } from '../../test/support/haic.ts';
import { writeSmallBundle } from '../haic.ts';
import { makePeople, type Person } from '../people.ts';

export const namespace = 'rehearsal';
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;

/** A Haic whose apps are pods of a cluster of fake nodes, with many people. Its own processes run here, in the cluster's network. */
export interface World {
  readonly haic: Haic;
  readonly api: KubeApi;
  readonly people: readonly Person[];
  /** One more, who has as many instances however many the others have: what they ask for is the same then. */
  readonly asker: Person;
  readonly appId: string;
  adminToken(): Promise<string>;
  /**
   * One more instance of the person's, started by Haic through Helm; resolves when it is DEPLOYED, with the milliseconds until Haic had
   * answered that it is made. Throws when it fails.
   */
  start(person: Person): Promise<number>;
  /** Writes copies until there are so many instances, evenly among the people, and waits until all are DEPLOYED. */
  fill(count: number): Promise<void>;
  /** Of the namespace's Deployments. */
  instanceIds(): Promise<readonly string[]>;
  /** Of what the API lists to them as their own. */
  idsOf(person: Person): Promise<readonly string[]>;
  /** Whether the API lists any instance. */
  lists(): Promise<boolean>;
  /** How many instances the API shows as DEPLOYED: asks for all of them, page by page. */
  deployed(): Promise<number>;
  scale(instanceId: string, replicas: 0 | 1): Promise<void>;
  stop(): Promise<void>;
}

const startWithinMs = 300_000;
const tellEveryMs = 10_000;
const never = new AbortController().signal;

export async function startWorld(options: { people: number; tell: (text: string) => void }): Promise<World> {
  const { KUBECONFIG: kubeconfig } = process.env;
  if (kubeconfig === undefined) throw new Error('This runs in the network of a test cluster.');
  const api = await connect(kubeconfig);
  await api.json({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace } },
    signal: never,
  });
  await leadPodsToFakeNodes(api);
  await answerForCopies(deadline(10_000));
  const haic = await startHaic({
    HAIC_RUNTIME: 'kubernetes',
    HAIC_APPS_NAMESPACE: namespace,
    HAIC_APP_IMAGE: toolsImage,
    HAIC_APP_PULL_POLICY: 'Never',
    HAIC_KUBECONFIG: kubeconfig,
    HAIC_APP_CHART: fileURLToPath(new URL('../../deploy/charts/wave-app', import.meta.url)),
    HAIC_API_REQUESTS_PER_MINUTE: '0',
    HAIC_INSTANCE_LIMIT: '5000',
    // Checking answers is for tests, and costs more than making them.
    HAIC_CHECK_ANSWERS: 'false',
  });
  try {
    options.tell(`Making ${options.people} people …`);
    const [asker, ...people] = await makePeople(haic, options.people + 1);
    if (asker === undefined) throw new Error('There is nobody.');
    const adminToken = renewed(() => haic.accessToken(haic.admin.username));
    const app = await importBundle(
      haic,
      await adminToken(),
      await writeSmallBundle(haic, 'rehearsal'),
      'ALL_USERS',
    );
    return worldOf({ haic, api, people, asker, appId: app.id, adminToken, tell: options.tell });
  } catch (error) {
    await haic.stop();
    throw error;
  }
}

function worldOf(
  parts: Pick<World, 'haic' | 'api' | 'people' | 'asker' | 'appId' | 'adminToken'> & {
    tell: (text: string) => void;
  },
): World {
  const { haic, api, people, asker, adminToken } = parts;
  let copied = 0;
  const inPlace = createPlaces(24);

  async function instanceIds(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { metadata } of listMetadata(api, deployments, 'haic.io/instance', never))
      ids.push(metadata.labels?.['haic.io/instance'] ?? '');
    return ids;
  }

  async function list(token: string, query: Record<string, string>) {
    const { status, body } = await callApi<{ items: { id: string }[]; nextPageToken?: string }>(
      haic,
      token,
      'GET',
      `/api/v1/instances?${new URLSearchParams(query)}`,
    );
    if (status !== 200) throw new Error(`The list answered ${status}.`);
    return body;
  }
  const listAll = async (query: Record<string, string>) =>
    list(await adminToken(), { all: 'true', ...query });

  async function deployed(): Promise<number> {
    let [count, next] = [0, ''];
    do {
      const page = await listAll({ status: 'DEPLOYED', pageSize: '1000', pageToken: next });
      count += page.items.length;
      next = page.nextPageToken ?? '';
    } while (next !== '');
    return count;
  }

  async function start(person: Person): Promise<number> {
    const token = await person.token();
    const from = performance.now();
    const { id } = await runApp(haic, token, parts.appId);
    const answered = performance.now() - from;
    const isThere = async () => {
      const answer = await callApi<{ status: string; reason: string }>(
        haic,
        await person.token(),
        'GET',
        `/api/v1/instances/${id}`,
      );
      if (answer.status !== 200) throw new Error(`${id}: the API answered ${answer.status}`);
      if (answer.body.status === 'FAILED') throw new Error(`${id}: FAILED, ${answer.body.reason}`);
      return answer.body.status === 'DEPLOYED' ? answered : undefined;
    };
    return until(isThere, { everyMs: 50, signal: deadline(startWithinMs) });
  }

  async function fill(count: number): Promise<void> {
    const [first = ''] = await instanceIds();
    const original = await readOriginal(api, namespace, first, never);
    const missing = count - (await instanceIds()).length;
    parts.tell(`Writing ${missing} copies of a release …`);
    const from = performance.now();
    let written = 0;
    const telling = setInterval(() => parts.tell(`… ${written} of ${missing} are written …`), tellEveryMs);
    try {
      await Promise.all(
        Array.from({ length: missing }, (_, index) =>
          inPlace(async () => {
            const person = people[copied % people.length];
            if (person === undefined) throw new Error('There is nobody.');
            copied += 1;
            const id = randomUUID();
            const createdAt = new Date(Date.now() + index).toISOString();
            const clusterIP = addressOfCopy(copied);
            await writeCopy(api, namespace, original, { id, owner: person, createdAt, clusterIP }, never);
            written += 1;
          }, never),
        ),
      );
    } finally {
      clearInterval(telling);
    }
    parts.tell(`… written in ${seconds(from)} s; waiting until all of them run …`);
    await until(
      async () => {
        const run = await deployed();
        if (run < count) parts.tell(`… ${run} of ${count} run …`);
        return run === count ? true : undefined;
      },
      // To be asked for all of them is work for core, which is to get on with hearing of them.
      { everyMs: tellEveryMs, signal: deadline(30 * 60_000) },
    );
    parts.tell(`… ${count} are DEPLOYED after ${seconds(from)} s.`);
  }

  return {
    ...{ haic, api, people, asker, appId: parts.appId, adminToken, start, fill, instanceIds, deployed },
    idsOf: async (person) => (await list(await person.token(), {})).items.map(({ id }) => id),
    lists: async () => (await listAll({ pageSize: '1' })).items.length > 0,
    scale: async (id, replicas) =>
      void (await api.json({
        method: 'PATCH',
        path: `${deployments}/app-${id}`,
        contentType: 'application/merge-patch+json',
        body: { spec: { replicas } },
        signal: never,
      })),
    async stop() {
      await haic.stop();
      await api.close();
    },
  };
}

const seconds = (from: number): string => ((performance.now() - from) / 1000).toFixed(0);

/** Of a cluster that is for this alone: every pod goes to a fake node. */
async function leadPodsToFakeNodes(api: KubeApi): Promise<void> {
  const patch = (name: string, spec: unknown) =>
    api.json({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}`,
      contentType: 'application/merge-patch+json',
      body: { spec },
      signal: never,
    });
  const [fake] = Object.keys(fakeLabel);
  await patch('node1', { unschedulable: true });
  for await (const { metadata } of listMetadata(api, '/api/v1/nodes', fake ?? '', never))
    await patch(metadata.name, { taints: [] });
}

function renewed(fetchToken: () => Promise<string>): () => Promise<string> {
  let current: { token: string; until: number } | undefined;
  return async () => {
    if (current === undefined || performance.now() > current.until)
      current = { token: await fetchToken(), until: performance.now() + 120_000 };
    return current.token;
  };
}
