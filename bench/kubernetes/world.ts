import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { deadline, until } from '@haic/kit/deadline.ts';
import { createPlaces } from '@haic/kit/places.ts';
import { connect, type KubeApi } from '@haic/platform/runtime/kubernetes/api.ts';
import { listMetadata } from '@haic/platform/runtime/kubernetes/metadata-list.ts';
import { fakeLabel } from '@haic/test-cluster/fake-objects.ts';
import { toolsImage } from '@haic/test-cluster/tools-image.ts';
import { readOriginal, writeCopy } from '../../test/kubernetes/copies.ts';
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
  readonly appId: string;
  adminToken(): Promise<string>;
  /** One more instance of the person's, started by Haic through Helm; resolves with its id when it is DEPLOYED. Throws when it fails. */
  start(person: Person): Promise<string>;
  /** Writes copies until there are so many instances, evenly among the people, and waits until all are DEPLOYED. */
  fill(count: number): Promise<void>;
  /** Of the namespace's Deployments. */
  instanceIds(): Promise<readonly string[]>;
  /** Whose instance it is that was started or copied here. */
  ownerOf(instanceId: string): Person | undefined;
  /** How many instances the API shows as DEPLOYED. */
  deployed(): Promise<number>;
  scale(instanceId: string, replicas: 0 | 1): Promise<void>;
  stop(): Promise<void>;
}

const startWithinMs = 300_000;
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
    const people = await makePeople(haic, options.people);
    const adminToken = renewed(() => haic.accessToken(haic.admin.username));
    const app = await importBundle(
      haic,
      await adminToken(),
      await writeSmallBundle(haic, 'rehearsal'),
      'ALL_USERS',
    );
    return worldOf({ haic, api, people, appId: app.id, adminToken, tell: options.tell });
  } catch (error) {
    await haic.stop();
    throw error;
  }
}

function worldOf(
  parts: Pick<World, 'haic' | 'api' | 'people' | 'appId' | 'adminToken'> & { tell: (text: string) => void },
): World {
  const { haic, api, people, adminToken } = parts;
  const owners = new Map<string, Person>();
  const inPlace = createPlaces(12);

  async function instanceIds(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { metadata } of listMetadata(api, deployments, 'haic.io/instance', never))
      ids.push(metadata.labels?.['haic.io/instance'] ?? '');
    return ids;
  }

  async function deployed(): Promise<number> {
    let [count, next] = [0, ''];
    do {
      const query = new URLSearchParams({
        all: 'true',
        status: 'DEPLOYED',
        pageSize: '1000',
        pageToken: next,
      });
      const { status, body } = await callApi<{ items: unknown[]; nextPageToken?: string }>(
        haic,
        await adminToken(),
        'GET',
        `/api/v1/instances?${query}`,
      );
      if (status !== 200) throw new Error(`The list answered ${status}.`);
      count += body.items.length;
      next = body.nextPageToken ?? '';
    } while (next !== '');
    return count;
  }

  async function start(person: Person): Promise<string> {
    const { id } = await runApp(haic, await person.token(), parts.appId);
    owners.set(id, person);
    const isThere = async () => {
      const answer = await callApi<{ status: string; reason: string }>(
        haic,
        await person.token(),
        'GET',
        `/api/v1/instances/${id}`,
      );
      if (answer.status !== 200) throw new Error(`${id}: the API answered ${answer.status}`);
      if (answer.body.status === 'FAILED') throw new Error(`${id}: FAILED, ${answer.body.reason}`);
      return answer.body.status === 'DEPLOYED' ? id : undefined;
    };
    return until(isThere, { everyMs: 100, signal: deadline(startWithinMs) });
  }

  async function fill(count: number): Promise<void> {
    const [first = ''] = await instanceIds();
    const original = await readOriginal(api, namespace, first, never);
    const missing = count - (await instanceIds()).length;
    parts.tell(`Writing ${missing} copies of a release …`);
    const from = performance.now();
    const before = owners.size;
    await Promise.all(
      Array.from({ length: missing }, (_, index) =>
        inPlace(async () => {
          const person = people[(before + index) % people.length];
          if (person === undefined) return;
          const id = randomUUID();
          const createdAt = new Date(Date.now() + index).toISOString();
          await writeCopy(api, namespace, original, { id, owner: person, createdAt }, never);
          owners.set(id, person);
        }, never),
      ),
    );
    parts.tell(`… written in ${seconds(from)} s; waiting until all of them run …`);
    await until(async () => ((await deployed()) === count ? true : undefined), {
      everyMs: 2_000,
      signal: deadline(30 * 60_000),
    });
    parts.tell(`… ${count} are DEPLOYED after ${seconds(from)} s.`);
  }

  return {
    ...{ haic, api, people, appId: parts.appId, adminToken, start, fill, instanceIds, deployed },
    ownerOf: (id) => owners.get(id),
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
