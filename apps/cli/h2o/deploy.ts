import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { sleep } from '@haic/kit/deadline.ts';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import { CommandError, output, print, record, say, whenReaderLeaves } from '../terminal.ts';
import type { Api, App, Instance } from './api.ts';
import { appPath, startInstance, uploadBundle } from './apps.ts';
import { trialManifest, writeBundle } from './bundle.ts';
import { commandName } from './command-name.ts';
import { Unreachable } from './connection.ts';
import { followLog } from './logs.ts';
import { appRecord } from './present.ts';

export interface TrialOptions {
  readonly visibility: string;
  /** Adds the time to the version, so that each trial is a version of its own. */
  readonly generateVersion: boolean;
  readonly json: boolean;
}

/** Bundles a folder as a version of its own in a folder that is removed afterwards, and does something with it. */
async function withTrialBundle<T>(
  directory: string,
  suffixes: readonly string[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2o-trial-'));
  try {
    const suffix = suffixes.map((part) => `-${part}`).join('');
    return await use(await writeBundle(directory, folder, (text) => trialManifest(text, suffix)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** YYYYMMDDHHMMSS, UTC. */
const timestamp = (now: Date): string => now.toISOString().replace(/\D/g, '').slice(0, 14);
const generated = (options: TrialOptions): string[] =>
  options.generateVersion ? [timestamp(new Date())] : [];

/** Bundles a folder, imports and runs it. What was imported is said even when it cannot be run. */
export const deployBundle = (api: Api, directory: string, options: TrialOptions): Promise<void> =>
  withTrialBundle(directory, generated(options), async (file) => {
    const app = await uploadBundle(api, file, options.visibility);
    if (!options.json) print(appRecord(app));
    const instance = await startInstance(api, app.id, options.visibility);
    output(options.json, { app, instance }, () => instanceLines(instance));
    say(`It starts now. Watch it: ${commandName} instance logs -f ${instance.id}`);
  });

const instanceLines = (instance: Instance): string =>
  record([
    ['Instance ID', instance.id],
    ['URL', instance.url],
  ]);

/** Like `deployBundle`, and shows the log until it is interrupted or the app ends. Nothing of it is left behind then. */
export const testBundle = (api: Api, directory: string, options: TrialOptions): Promise<void> =>
  withTrialBundle(directory, [...generated(options), 'bundle-test'], async (file) => {
    using stop = stopSignal();
    const app = await uploadTrial(api, file, options.visibility);
    let ended: Instance | undefined;
    try {
      if (!options.json) print(appRecord(app));
      if (stop.signal.aborted) return;
      const instance = await startInstance(api, app.id, options.visibility);
      output(options.json, { app, instance }, () => instanceLines(instance));
      say('Ctrl-C ends the test and removes it from the store.');
      const log = { follow: true, previous: false, json: false };
      ended = await followLog(api, instance.id, log, stop.signal);
    } finally {
      await removeTrial(api, app);
    }
    if (ended?.status === 'FAILED')
      throw new CommandError(`The app has failed (${ended.reason}): ${ended.message} It was removed.`);
  });

/** An answer that never came does not say whether the store kept the app: if it did, it is taken back. */
async function uploadTrial(api: Api, file: string, visibility: string): Promise<App> {
  try {
    return await uploadBundle(api, file, visibility);
  } catch (error) {
    if (mayPass(error)) {
      const apps = await api.all<App>('/api/v1/apps?versions=all&mine=true').catch(() => []);
      const kept = apps.find((app) => `${app.name}.${app.version}.wave` === path.basename(file));
      if (kept !== undefined) await removeTrial(api, kept);
    }
    throw error;
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof HaicError && error.status >= 500);

/**
 * Aborts when the person or the system wants an end, and when nobody reads any more. Requests under way are not cut off: what the
 * store has begun for them must be known, to be taken back.
 */
function stopSignal(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const end = () => {
    if (!stop.signal.aborted) say('Ending the test …');
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  whenReaderLeaves(end);
  return {
    signal: stop.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

const attempts = 5;

/** Terminates every instance of the trial and deletes its app; tries again while the platform does not answer. */
async function removeTrial(api: Api, app: App): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const instances = await api.all<Instance>(`/api/v1/instances?all=true&appId=${app.id}`);
      for (const { id } of instances) await remove(api, `/api/v1/instances/${id}`);
      await remove(api, appPath(app.id));
      say('Terminated and deleted.');
      return;
    } catch (error) {
      if (!mayPass(error) || attempt === attempts)
        throw new CommandError(
          `The test could not be removed (${messageOf(error)}). Do it by hand: ${commandName} instance list, ${commandName} instance terminate ID, ${commandName} app delete ${app.id}`,
        );
      await sleep(attempt * 1_000);
    }
  }
}

/** What is gone already is removed. */
async function remove(api: Api, target: string): Promise<void> {
  try {
    await api.json('DELETE', target);
  } catch (error) {
    if (!(error instanceof HaicError && error.status === 404)) throw error;
  }
}
