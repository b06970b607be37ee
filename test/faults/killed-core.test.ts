import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { isAlive } from '@haic/kit/process-identity.ts';
import { hurrySignal } from '../../apps/cli/installation/supervisor.ts';
import { type ApiInstance, callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { bundleOf, eventually, kills, platformProcess, processesOf } from './support.ts';

interface Listed<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}
interface AppItem {
  readonly id: string;
  readonly name: string;
}

/** What the platform has acknowledged: it said 201 or 204, so it must be so for ever. */
interface Acknowledged {
  readonly apps: Map<string, string>;
  readonly instances: Set<string>;
  readonly ended: Set<string>;
}

describe('core killed at random points of import, run and terminate', () => {
  let haic: Haic;
  let token: string;
  let count = 0;
  const acknowledged: Acknowledged = { apps: new Map(), instances: new Set(), ended: new Set() };
  /** Asked for, never answered: either is right, but nothing half. */
  const unsure = new Set<string>();

  before(async () => {
    haic = await startHaic({ HAIC_INSTANCE_LIMIT: '1000' });
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
  });
  after(() => haic?.stop());

  const api = <T>(method: string, at: string, body?: unknown) =>
    callApi<T>(haic, token, method, at, body).catch(() => undefined);

  async function importOne(): Promise<string | undefined> {
    count += 1;
    const name = `killed${count}`;
    const answer = await api<AppItem>('POST', '/api/v1/apps?visibility=PRIVATE', bundleOf({ name }));
    if (answer?.status === 201) acknowledged.apps.set(answer.body.id, `ai.test.${name}`);
    return answer?.status === 201 ? answer.body.id : undefined;
  }

  async function runOne(appId: string): Promise<string | undefined> {
    const answer = await api<ApiInstance>('POST', `/api/v1/apps/${appId}/instances`, {
      visibility: 'PRIVATE',
    });
    if (answer?.status !== 201) return undefined;
    acknowledged.instances.add(answer.body.id);
    return answer.body.id;
  }

  async function terminateOne(id: string): Promise<void> {
    const answer = await api('DELETE', `/api/v1/instances/${id}`);
    if (answer?.status === 204) {
      acknowledged.instances.delete(id);
      acknowledged.ended.add(id);
    } else {
      // Cut off, also when the router says 503: it may or may not have begun.
      acknowledged.instances.delete(id);
      unsure.add(id);
    }
  }

  /** A life of an app, as fast as it goes; whatever is cut off is cut off. */
  async function workload(): Promise<void> {
    const appId = await importOne();
    if (appId === undefined) return;
    const id = await runOne(appId);
    if (id !== undefined && count % 2 === 0) await terminateOne(id);
  }

  /** The pauses between restarts grow with each kill; a second `up` ends the pause, and here its signal does. */
  const recovered = async () => {
    const { pid } = await platformProcess(haic, 'supervisor');
    await eventually(async () => {
      process.kill(pid, hurrySignal);
      return (await api('GET', '/api/v1/apps'))?.status === 200 ? true : undefined;
    });
  };

  async function all<T>(at: string): Promise<T[]> {
    const items: T[] = [];
    let next = '';
    do {
      const { body } = await callApi<Listed<T>>(haic, token, 'GET', `${at}?pageSize=100&versions=all${next}`);
      items.push(...body.items);
      next = body.nextPageToken === undefined ? '' : `&pageToken=${encodeURIComponent(body.nextPageToken)}`;
    } while (next !== '');
    return items;
  }
  const allApps = () => all<AppItem>('/api/v1/apps');
  const allInstances = () => all<ApiInstance>('/api/v1/instances');

  it(`${kills} kills lose nothing that was acknowledged`, async () => {
    await workload();
    // Of the second one, since the first of all is slow. Some 100 ms; on a slow machine nothing would be acknowledged before a kill so early.
    const from = performance.now();
    await workload();
    const lifeMs = performance.now() - from;
    const before = acknowledged.apps.size;
    for (let kill = 0; kill < kills; kill += 1) {
      if (kill % 10 === 9) token = await haic.accessToken('ada');
      const core = await platformProcess(haic, 'core');
      const work = workload();
      // Anywhere in an import and a run, or just after.
      await sleep(Math.random() * 1.5 * lifeMs);
      process.kill(core.pid, 'SIGKILL');
      await work;
      await recovered();
    }
    token = await haic.accessToken('ada');
    const apps = await allApps();
    const names = new Map(apps.map(({ id, name }) => [id, name]));
    for (const [id, name] of acknowledged.apps) assert.equal(names.get(id), name, `${name} was acknowledged`);
    const instances = await allInstances();
    const present = new Set(instances.map(({ id }) => id));
    for (const id of acknowledged.instances) assert.ok(present.has(id), `instance ${id} was acknowledged`);
    assert.ok(acknowledged.apps.size > before, 'some of it was acknowledged');
  });

  it('every instance that is there becomes what was asked for: runs, or is gone', async () => {
    await eventually(async () => {
      const instances = await allInstances();
      for (const { id } of instances) assert.ok(!acknowledged.ended.has(id), `${id} was ended`);
      const settled = instances.every(({ status }) => status === 'DEPLOYED');
      return settled ? true : undefined;
    }, 120);
  });

  it('no workload, process or sign-in client is left of an instance that is not', async () => {
    const instances = await allInstances();
    const present = new Set(instances.map(({ id }) => id));
    const workloads = (await readdir(path.join(haic.home, 'runtime', 'workloads')))
      .filter((name) => name.startsWith('app-'))
      .map((name) => name.slice('app-'.length));
    assert.deepEqual(new Set(workloads), present);
    const shims = (await processesOf(haic)).flatMap(
      ({ commandLine }) => /shim\.sh \S*\/app-([0-9a-f-]{36})\//.exec(commandLine)?.[1] ?? [],
    );
    for (const id of shims)
      assert.ok(present.has(id), `a process of ${id} runs, and there is no such instance`);
    for (const id of present) assert.ok(shims.includes(id), `nothing runs of ${id}`);
  });

  it('no half bundle is there: what is stored is whole, and nothing waits among what was unfinished', async () => {
    // The next start of core puts away what a killed one left.
    const core = await platformProcess(haic, 'core');
    process.kill(core.pid, 'SIGKILL');
    await eventually(async () => ((await isAlive(core)) ? undefined : true));
    await recovered();
    const blobs = path.join(haic.home, 'blobs');
    const files = async (directory: string) =>
      (await readdir(directory, { recursive: true, withFileTypes: true })).flatMap((entry) =>
        entry.isFile() ? path.join(entry.parentPath, entry.name) : [],
      );
    const stored = await files(path.join(blobs, 'objects'));
    const keys = (recorded: boolean) =>
      stored.filter((file) => file.endsWith('@.json') === recorded).map((file) => file.split('@')[0]);
    assert.deepEqual(
      keys(false).sort(),
      keys(true).sort(),
      'each content has its record and each record its content',
    );
    assert.deepEqual(await files(path.join(blobs, 'temporary')), []);
    assert.deepEqual(await readdir(path.join(haic.home, 'uploads')), []);
    // Whole bundles whose app was never acknowledged may wait for the daily sweep; acknowledged ones are all there.
    for (const id of acknowledged.apps.keys())
      assert.ok(
        keys(true).some((key) => key?.endsWith(`/${id}.wave`)),
        `the bundle of ${id} is there`,
      );
  });

  it('everything still works: import, run, open, terminate', async () => {
    const appId = (await importOne()) ?? assert.fail('It could not be imported.');
    const id = (await runOne(appId)) ?? assert.fail('It could not be run.');
    await eventually(async () => {
      const { body } = await callApi<ApiInstance>(haic, token, 'GET', `/api/v1/instances/${id}`);
      return body.status === 'DEPLOYED' ? true : undefined;
    });
    await terminateOne(id);
    assert.ok(acknowledged.ended.has(id));
  });
});
