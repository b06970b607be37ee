import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sampleBundle } from '@haic/launcher/testing/harness.ts';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { network } from '@haic/test-cluster/layout.ts';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, openBrowser } from '../support/browser.ts';
import { keeper } from './keeper.ts';
import { type HaicInCluster, startHaicInCluster } from './world.ts';

/** A Haic as pods, and Ada, who works with it. */
export interface Scene {
  readonly world: HaicInCluster;
  readonly password: string;
  /** An access token of Ada's, good for two minutes more at least. */
  token(): Promise<string>;
  inApps(...words: string[]): Promise<string>;
  releases(): Promise<string[]>;
  /** Imports a bundle the first time that it is asked for. */
  app(name: 'who-am-i' | 'keeper'): Promise<{ readonly id: string }>;
  /** A new instance that runs. */
  run(name: 'who-am-i' | 'keeper'): Promise<{ readonly id: string }>;
  /** The instance of "who am I?" that all tests share: it makes an environment, which takes its time. */
  whoAmI(): Promise<{ readonly id: string }>;
  /** Asks a keeper through ingress and router, as a program of its owner. */
  ask(id: string, init?: RequestInit): Promise<string>;
  browser(): Promise<BrowserProfile>;
  stop(): Promise<void>;
}

export async function startScene(values: Readonly<Record<string, unknown>>): Promise<Scene> {
  const world = await startHaicInCluster(values);
  const password = await world.addUser('ada');
  let [held, heldUntil] = ['', 0];
  const token = async () => {
    if (Date.now() > heldUntil) [held, heldUntil] = [await world.accessToken('ada'), Date.now() + 120_000];
    return held;
  };
  const { hostname } = new URL(world.url);
  const inApps = (...words: string[]) => world.kubectl('--namespace', `${world.account}-apps`, ...words);
  const bundles = { 'who-am-i': () => sampleBundle('who-am-i'), keeper: async () => makeZip(keeper) };
  const app = once(async (name: keyof typeof bundles) => {
    const file = path.join(path.dirname(world.caFile), `${name}.wave`);
    await writeFile(file, await bundles[name]());
    return importBundle(world, await token(), file);
  });
  const run: Scene['run'] = async (name) => {
    const { id } = await app(name);
    const mine = await token();
    const instance = await runApp(world, mine, id);
    await waitForStatus(world, mine, instance.id, 'DEPLOYED', 240);
    return instance;
  };
  const shared = once(run);
  return {
    world,
    password,
    token,
    inApps,
    releases: async () =>
      (await world.helm('--namespace', `${world.account}-apps`, 'list', '--all', '--short'))
        .trim()
        .split('\n'),
    app,
    run,
    whoAmI: () => shared('who-am-i'),
    async ask(id, init = {}) {
      const headers = { authorization: `Bearer ${await token()}` };
      const answer = await fetch(`${world.url}/instance/${id}/`, { ...init, headers });
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      return text;
    },
    browser: () =>
      openBrowser({
        args: [`--host-resolver-rules=MAP ${hostname} ${network.node}, MAP *.${hostname} ${network.node}`],
        ignoreHTTPSErrors: true,
      }),
    stop: world.stop,
  };
}

function once<K, T>(work: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const done = new Map<K, Promise<T>>();
  return (key) => {
    const found = done.get(key) ?? work(key);
    done.set(key, found);
    return found;
  };
}

/** By which the pods of an instance are found. */
export const podsOfInstance = (id: string) => ['--selector', `runtime.haic.io/workload=app-${id}`] as const;

export async function terminate({ world, token, releases }: Scene, id: string): Promise<void> {
  const { status, body } = await callApi(world, await token(), 'DELETE', `/api/v1/instances/${id}`);
  assert.equal(status, 204, JSON.stringify(body));
  assert.ok(!(await releases()).includes(`app-${id}`));
}
